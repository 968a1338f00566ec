//! A folder with a config, and the command that runs the arbiter on it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Instance, peers};

/// What an arbiter is started with. The folder is world-readable, for workers of other users, and its path is the
/// mark by which everything that was started is found: it is in the `PATH` of every process.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(super) folder: tempfile::TempDir,
    pub(super) name: String,
    /// A program and its arguments before `remuda`, such as `unshare --pid`.
    pub(crate) wrapper: Vec<String>,
    /// Arguments of `up` besides the config and the format.
    pub(crate) arguments: Vec<String>,
    /// Variables of the arbiter besides the usual.
    pub(crate) environment: BTreeMap<String, String>,
}

impl Setup {
    /// A folder with `config` as its `remuda.toml`; see [`Setup::configure`].
    pub(crate) fn new(config: &str) -> Self {
        let setup = Self::empty();
        setup.configure(config);
        setup
    }

    /// A folder without a config.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::Builder::new().prefix("remuda-it-").tempdir().unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let name = folder.path().file_name().unwrap().to_string_lossy().replace('.', "");
        let (wrapper, arguments, environment) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { folder, name, wrapper, arguments, environment }
    }

    /// Writes `remuda.toml`. Placeholders are `@DIR@` (the folder), `@WORKERS@` (the test workers' folder), `@VENV@`
    /// (the `bin` of the Python peers), `@PYTHON@` (its interpreter). `[remuda]` gets the instance's name and folder.
    pub(crate) fn configure(&self, config: &str) {
        std::fs::write(self.config(), self.filled(config)).unwrap();
    }

    /// The text of a config as [`Setup::configure`] writes it.
    pub(crate) fn filled(&self, config: &str) -> String {
        let own =
            format!("[remuda]\nname = \"{}\"\nruntime_dir = \"{}\"", self.name, self.runtime().display());
        let text = match config.contains("[remuda]") {
            true => config.replacen("[remuda]", &own, 1),
            false => format!("{own}\n{config}"),
        };
        self.fill(&text)
    }

    /// A text with its placeholders filled in.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut text = text
            .replace("@DIR@", &self.dir().to_string_lossy())
            .replace("@WORKERS@", &peers::workers().to_string_lossy());
        if text.contains("@VENV@") || text.contains("@PYTHON@") {
            let bin = peers::venv().join("bin").to_string_lossy().into_owned();
            text = text.replace("@VENV@", &bin).replace("@PYTHON@", &format!("{bin}/python"));
        }
        text
    }

    /// The folder.
    pub(crate) fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// The name of the instance.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where `remuda.toml` is.
    pub(crate) fn config(&self) -> PathBuf {
        self.dir().join("remuda.toml")
    }

    /// The runtime folder of the instance.
    pub(crate) fn runtime(&self) -> PathBuf {
        self.dir().join(".runtime")
    }

    /// The control socket.
    pub(crate) fn control(&self) -> PathBuf {
        self.runtime().join("control.sock")
    }

    /// Writes a file into the folder; its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir().join(name);
        std::fs::write(&path, self.fill(text)).unwrap();
        path
    }

    /// Writes a program into the folder; its path.
    pub(crate) fn program(&self, name: &str, text: &str) -> PathBuf {
        let path = self.write(name, text);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        path
    }

    /// Makes a gate: a pipe with a name that a worker waits at by reading a line (`read _ < gate`).
    pub(crate) fn gate(&self, name: &str) {
        let mode = rustix::fs::Mode::from_raw_mode(0o666);
        rustix::fs::mknodat(rustix::fs::CWD, self.dir().join(name), rustix::fs::FileType::Fifo, mode, 0)
            .unwrap();
    }

    /// Lets one worker through a gate, now or when it comes, as long as the value lives.
    pub(crate) fn open_gate(&self, name: &str) -> File {
        // Opened for both, it waits for nobody, and the line is kept until somebody reads it.
        let mut gate = File::options().read(true).write(true).open(self.dir().join(name)).unwrap();
        gate.write_all(b"go\n").unwrap();
        gate
    }

    /// Starts the arbiter, within the wrapper if there is one, and waits until it has started.
    pub(crate) fn up(self) -> Instance {
        let mut command = self.up_command();
        command.args(["--log-format", "json"]);
        Instance::start(self, command)
    }

    /// `remuda up` with the arguments, within the wrapper.
    pub(crate) fn up_command(&self) -> Command {
        let mut words = self.wrapper.clone();
        words.extend([EXECUTABLE.to_owned(), "up".to_owned()]);
        let mut command = self.marked(&words[0]);
        command.args(&words[1..]).args(&self.arguments).envs(&self.environment);
        command
    }

    /// `remuda` with `arguments`; it finds the instance whatever the config says.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.marked(EXECUTABLE);
        command.args(arguments).env("REMUDA_SOCKET", self.control());
        command
    }

    /// A program that runs in the folder, with nothing in its environment but the mark.
    pub(crate) fn marked(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var("PATH").unwrap_or_default();
        command.current_dir(self.dir()).env_clear();
        command.env("PATH", format!("{}/bin:{path}", self.dir().display()));
        command
    }
}

/// The program under test.
const EXECUTABLE: &str = env!("CARGO_BIN_EXE_remuda");

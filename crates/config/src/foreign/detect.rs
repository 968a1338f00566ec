//! Which system a file belongs to.

use std::path::Path;

/// A kind of config file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `remuda.toml`.
    Remuda,
    /// `circus.ini`.
    Circus,
    /// `Procfile`.
    Procfile,
    /// A `.socket` unit of systemd.
    SystemdSocket,
    /// A `.service` unit of systemd.
    SystemdService,
}

impl Format {
    /// Whether it is a unit of systemd.
    #[must_use]
    pub fn is_unit(self) -> bool {
        matches!(self, Self::SystemdSocket | Self::SystemdService)
    }
}

/// Which system `text` at `path` belongs to: by the name where it says so, else by the content. What is of no known
/// form is taken for a `remuda.toml`, whose errors are the most helpful.
#[must_use]
pub fn detect(path: &Path, text: &str) -> Format {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending {
        "toml" => Format::Remuda,
        "socket" => Format::SystemdSocket,
        "service" => Format::SystemdService,
        "ini" => Format::Circus,
        _ if name.starts_with("procfile") => Format::Procfile,
        _ => by_content(text),
    }
}

fn by_content(text: &str) -> Format {
    let lines =
        || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    let mut sections = lines().filter(|line| line.starts_with('['));
    let kind = sections.find_map(|section| {
        let name = section.trim_start_matches('[').split(']').next().unwrap_or("");
        match name {
            "Socket" => Some(Format::SystemdSocket),
            "Service" => Some(Format::SystemdService),
            "circus" => Some(Format::Circus),
            _ if ["watcher:", "socket:", "plugin:", "env:"].iter().any(|kind| name.starts_with(kind)) => {
                Some(Format::Circus)
            }
            _ => None,
        }
    });
    let is_process = |line: &str| {
        let (name, command) = line.split_once(':').unwrap_or(("", ""));
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        !name.is_empty() && plain && command.starts_with(' ')
    };
    let procfile = lines().next().is_some() && lines().all(is_process);
    kind.unwrap_or(if procfile { Format::Procfile } else { Format::Remuda })
}

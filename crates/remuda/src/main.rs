//! The program: a command line in front of the arbiter and its control API.

mod act;
mod arguments;
mod check;
mod config_file;
mod dashboard;
mod doctor;
mod events;
mod exit;
mod herd;
mod hub;
mod instance;
mod logs;
mod nearest;
mod orphans;
mod painter;
mod preflight;
mod progress;
mod quantity;
mod route;
mod screen;
mod sentence;
mod serve;
mod status;
mod table;
mod terminal;
mod top;
mod up;
mod upgrade;
mod visible;
mod worker;

use std::process::ExitCode;

use anstream::ColorChoice;
use clap::CommandFactory as _;

use act::Verb;
use arguments::{Arguments, Color, Command, Global};
use exit::{Exit, Failure, Outcome};
use remuda_daemon::Succession;
use screen::{BAD, DIM, Screen, paint};

fn main() -> ExitCode {
    remuda_sys::spawn::run_trampoline_if_asked();
    remuda_sys::spawn::run_spawner_if_asked();
    remuda_daemon::run_keeper_if_asked();
    if let Some(answer) = preflight::run_if_asked() {
        return answer;
    }
    exit::end_on_panic();
    let succession = Succession::begin();
    let Arguments { global, command } = Arguments::of_process();
    let mut screen = Screen::new(match global.color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
    let outcome = match (runtime, succession) {
        (Ok(runtime), Ok(succession)) => {
            runtime.block_on(Box::pin(run(command, &global, succession, &mut screen)))
        }
        (Err(error), _) => Err(Failure::new(Exit::No, format!("cannot start: {error}"))),
        (_, Err(error)) => Err(Failure::new(Exit::No, error.to_string())),
    };
    let exit = outcome.unwrap_or_else(|failure| {
        report(&failure, &mut screen);
        failure.exit
    });
    exit.into()
}

async fn run(
    command: Command,
    global: &Global,
    succession: Option<Succession>,
    screen: &mut Screen,
) -> Outcome {
    match command {
        Command::Up(arguments) => up::run(arguments, global, succession, screen).await,
        Command::Serve(arguments) => serve::run(arguments, global, succession, screen).await,
        Command::Down(arguments) => act::down(arguments, global, screen).await,
        Command::Status(arguments) => status::run(arguments, global, screen).await,
        Command::Dashboard(arguments) => dashboard::run(arguments, global, screen).await,
        Command::Metrics => status::metrics(global, screen).await,
        Command::Logs(arguments) => logs::run(arguments, global, screen).await,
        Command::Events(arguments) => events::run(arguments, global, screen).await,
        Command::Top(arguments) => top::run(arguments, global, screen).await,
        Command::Pub(arguments) => hub::publish(arguments, global, screen).await,
        Command::Sub(arguments) => hub::subscribe(arguments, global, screen).await,
        Command::Get(arguments) => hub::get(arguments, global, screen).await,
        Command::Set(arguments) => hub::set(arguments, global, screen).await,
        Command::Del(arguments) => hub::delete(arguments, global, screen).await,
        Command::Keys(arguments) => hub::keys(arguments, global, screen).await,
        Command::Watch(arguments) => hub::watch(arguments, global, screen).await,
        Command::Peers(printing) => hub::peers(&printing, global, screen).await,
        Command::Herd(arguments) => herd::run(arguments, global, screen).await,
        Command::Lock(arguments) => hub::lock(arguments, global, screen).await,
        Command::Locks(printing) => hub::locks(&printing, global, screen).await,
        Command::Start(arguments) => act::act(Verb::Start, arguments, global, screen).await,
        Command::Stop(arguments) => act::act(Verb::Stop, arguments, global, screen).await,
        Command::Restart(arguments) => act::act(Verb::Restart, arguments, global, screen).await,
        Command::Reload(arguments) => act::act(Verb::Reload, arguments, global, screen).await,
        Command::Scale(arguments) => act::scale(arguments, global, screen).await,
        Command::Hold(arguments) => act::hold(arguments, global, screen).await,
        Command::Release(arguments) => act::release(arguments, global, screen).await,
        Command::Signal(arguments) => act::signal(arguments, global, screen).await,
        Command::Apply(arguments) => act::apply(arguments, global, screen).await,
        Command::Upgrade(arguments) => upgrade::run(arguments, global, screen).await,
        Command::Check(arguments) => check::check(arguments, global, screen).await,
        Command::Route(arguments) => route::run(&arguments, global, screen),
        Command::Schema => check::schema(screen),
        Command::Init(arguments) => check::init(&arguments, screen),
        Command::Import(arguments) => check::import(&arguments, screen),
        Command::Doctor(arguments) => doctor::run(&arguments, global, screen),
        Command::Worker(arguments) => worker::run(&arguments),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "remuda", &mut script);
            screen.text(&String::from_utf8_lossy(&script))?;
            Ok(Exit::Done)
        }
        Command::Openapi => {
            screen.line(&format!("{:#}", remuda_control::openapi()))?;
            Ok(Exit::Done)
        }
    }
}

fn report(failure: &Failure, screen: &mut Screen) {
    match (failure.message.as_str(), failure.laid_out) {
        ("", _) => {}
        (message, true) => screen.note(message),
        (message, false) => screen.note(&format!("{} {message}", paint(BAD, "remuda:"))),
    }
    if let Some(hint) = &failure.hint {
        screen.note(&paint(DIM, &format!("hint: {hint}")));
    }
}

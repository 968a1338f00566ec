//! What the command line takes and what it refuses.

use clap::{CommandFactory as _, Parser as _};

use super::value::scaling;
use super::{Arguments, Command, Scaling};

fn parsed(line: &str) -> Result<Command, String> {
    let arguments = Arguments::try_parse_from(line.split(' ')).map_err(|error| error.to_string())?;
    Ok(arguments.command)
}

#[test]
fn the_declaration_is_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn scale_takes_numbers_and_steps() {
    let web = || "web".parse().unwrap();
    assert_eq!(scaling("web=4"), Ok(Scaling::To(web(), 4)));
    assert_eq!(scaling("web=+2"), Ok(Scaling::By(web(), 2)));
    assert_eq!(scaling("web=-1"), Ok(Scaling::By(web(), -1)));
    for wrong in ["web", "web=", "web=four", "web=1.5", "=4", "we b=4", "web=+", "web=99999999999"] {
        assert!(scaling(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn all_stands_instead_of_names_and_nothing_is_no_target() {
    assert!(parsed("remuda reload --all").is_ok());
    assert!(parsed("remuda reload web web.2").is_ok());
    assert!(parsed("remuda reload").unwrap_err().contains("required"));
    assert!(parsed("remuda reload --all web").unwrap_err().contains("cannot be used with"));
    assert!(parsed("remuda reload we/b").unwrap_err().contains("does not name a service"));
}

#[test]
fn the_global_options_stand_anywhere() {
    assert!(parsed("remuda --instance x status").is_ok());
    assert!(parsed("remuda status --instance x --color never -c a.toml").is_ok());
    assert!(parsed("remuda signal SIGNOPE web").unwrap_err().contains("is not a signal"));
}

#[test]
fn help_names_every_command_but_the_hidden_one() {
    let help = Arguments::command().render_help().to_string();
    let names = [
        "up",
        "down",
        "status",
        "logs",
        "events",
        "start",
        "stop",
        "restart",
        "reload",
        "scale",
        "signal",
        "apply",
        "check",
        "schema",
        "init",
        "import",
        "completions",
        "doctor",
    ];
    for name in names {
        assert!(help.contains(&format!("\n  {name} ")), "{name} is not in\n{help}");
    }
    assert!(!help.contains("openapi"));
}

#[test]
fn check_takes_what_up_takes_to_change_the_config() {
    let words = "--workers web=2,api=3 --workers jobs=1 --instances 4 --pid-file x.pid";
    let Ok(Command::Up(up)) = parsed(&format!("remuda up {words}")) else { panic!("up refuses") };
    let Ok(Command::Check(check)) = parsed(&format!("remuda check {words}")) else { panic!("check refuses") };
    for adjusting in [up.adjusting, check.adjusting] {
        let workers: Vec<_> = adjusting.workers.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        assert_eq!(workers, [("web", 2), ("api", 3), ("jobs", 1)]);
        assert_eq!((adjusting.instances, adjusting.pid_file), (Some(4), Some("x.pid".into())));
    }
}

//! `copy_env`, `copy_path`, `virtualenv`, `[env]` and `[env:…]`.

use crate::foreign::circus::Scope;
use crate::foreign::circus::options::{Options, tell_unknown};
use crate::foreign::draft::Table;
use crate::foreign::finding::Findings;

pub(super) fn translate(
    options: &mut Options<'_>,
    scope: &Scope<'_>,
    table: &mut Table,
    env: &mut Table,
    findings: &mut Findings,
) {
    let copied = options.boolean("copy_env", findings);
    let copies = copied.as_ref().is_some_and(|(_, copies)| *copies);
    let origin = copied.map_or(&options.section.origin, |(setting, _)| &setting.origin);
    table.set("inherit_env", copies, origin);
    if !copies {
        let text = "without copy_env = True Circus passes nothing but [env]; PATH, HOME, USER, LOGNAME, SHELL, LANG and \
                    TZ are passed here as well";
        findings.differs(origin, "copy_env", text);
    }
    if let Some((setting, true)) = options.boolean("copy_path", findings) {
        let text = "there is no Python in the arbiter whose sys.path could be copied; set PYTHONPATH";
        findings.unsupported(&setting.origin, "copy_path", text);
    }
    for setting in scope.environment(options.section) {
        let native = options.variables.native_environment(&setting.value);
        tell_unknown(&native.unknown, setting, findings);
        env.set(&setting.key, native.text, &setting.origin);
    }
    virtualenv(options, copies, env, findings);
}

fn virtualenv(options: &mut Options<'_>, copies: bool, env: &mut Table, findings: &mut Findings) {
    options.unneeded(
        &["virtualenv_py_ver"],
        "a Python started from the environment's bin knows its packages",
        findings,
    );
    let Some((setting, root)) = options.native("virtualenv", findings) else { return };
    if !copies {
        findings.warn(&setting.origin, "virtualenv", "Circus refuses it without copy_env = True");
    }
    let root = root.trim_end_matches('/').to_owned();
    let path = env.get("PATH").and_then(toml::Value::as_str).unwrap_or("${PATH:-}").to_owned();
    env.set("PATH", format!("{root}/bin:{path}"), &setting.origin);
    env.set("VIRTUAL_ENV", root, &setting.origin);
    let text = "PATH and VIRTUAL_ENV are set, PYTHONPATH is not: start the environment's own python";
    findings.differs(&setting.origin, "virtualenv", text);
}

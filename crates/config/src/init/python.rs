//! Python: Django, ASGI and WSGI applications, plain scripts.

use std::fs;
use std::path::Path;

use super::{Guess, has, look};

/// Files an application object is looked for in, and the modules they are.
const MODULES: [&str; 5] = ["asgi.py", "wsgi.py", "main.py", "app.py", "server.py"];

pub(super) fn guess(folder: &Path, names: &[String]) -> Option<Guess> {
    if has(names, "manage.py") {
        return Some(django(folder));
    }
    let declared: String = ["requirements.txt", "pyproject.toml", "Pipfile", "setup.cfg"]
        .iter()
        .filter(|name| has(names, name))
        .filter_map(|name| look(&folder.join(name)))
        .collect();
    let declared = declared.to_lowercase();
    let found =
        MODULES.iter().filter(|name| has(names, name)).find_map(|name| module(folder, name, &declared));
    found.or_else(|| script(names))
}

fn django(folder: &Path) -> Guess {
    let project = project(folder);
    let name = project.as_deref().unwrap_or("PROJECT");
    let command = format!("gunicorn --workers 1 --bind fd://$(socket.web) {name}.wsgi");
    let guess = Guess::inherited(command, 2, "manage.py is there, so it is a Django site");
    match project {
        Some(_) => guess,
        None => guess
            .hint("No folder with a wsgi.py was found: put the name of your project in place of PROJECT."),
    }
}

/// The first folder with a `wsgi.py` in it.
fn project(folder: &Path) -> Option<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter(|entry| entry.path().join("wsgi.py").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| is_module(name))
        .collect();
    names.sort();
    names.into_iter().next()
}

fn is_module(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// An application object in one file.
fn module(folder: &Path, file: &str, declared: &str) -> Option<Guess> {
    const ASGI: [&str; 6] =
        ["FastAPI(", "Starlette(", "Quart(", "Litestar(", "get_asgi_application(", "async def app("];
    const WSGI: [&str; 4] = ["Flask(", "Bottle(", "falcon.App(", "get_wsgi_application("];
    let text = look(&folder.join(file))?;
    let stem = file.trim_end_matches(".py");
    let found = |marks: &[&'static str]| {
        marks.iter().find_map(|mark| Some((object(&text, mark)?, mark.trim_end_matches('('))))
    };
    if let Some((object, kind)) = found(&ASGI) {
        let command = format!("uvicorn --fd $(socket.web) {stem}:{object}");
        return Some(Guess::inherited(
            command,
            2,
            format!("{file} says {kind}, so it is an ASGI application"),
        ));
    }
    if let Some((object, kind)) = found(&WSGI) {
        let command = format!("gunicorn --workers 1 --bind fd://$(socket.web) {stem}:{object}");
        return Some(Guess::inherited(
            command,
            2,
            format!("{file} says {kind}, so it is a WSGI application"),
        ));
    }
    let says = |package: &str| declared.contains(package);
    if says("uvicorn") || says("fastapi") {
        let command = format!("uvicorn --fd $(socket.web) {stem}:app");
        return Some(Guess::inherited(command, 2, format!("{file} and uvicorn are there")));
    }
    if says("gunicorn") || says("flask") {
        let command = format!("gunicorn --workers 1 --bind fd://$(socket.web) {stem}:app");
        return Some(Guess::inherited(command, 2, format!("{file} and gunicorn are there")));
    }
    None
}

/// The name that `mark` is assigned to, as in `app = Flask(…)`.
fn object(text: &str, mark: &str) -> Option<String> {
    if mark.starts_with("async def ") {
        return text.contains(mark).then(|| "app".to_owned());
    }
    let line = text.lines().find(|line| line.contains(mark))?;
    let name = line.split_once('=').map_or("app", |(name, _)| name.split(':').next().unwrap_or(name).trim());
    Some(if is_module(name) { name.to_owned() } else { "app".to_owned() })
}

fn script(names: &[String]) -> Option<Guess> {
    let file = ["server.py", "app.py", "main.py"].into_iter().find(|name| has(names, name))?;
    Some(Guess::itself(format!("python3 -u {file}"), 8000, format!("{file} is there")))
}

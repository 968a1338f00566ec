//! Builds the pages with npm and says which files came of it.
//!
//! The program is of use without its pages, and not everybody who builds it has npm: where they cannot be built, the
//! build goes on, and the program says why it has none. `REMUDA_DASHBOARD=required` makes that an error.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the pages are made of, below `dashboard/`.
const INPUTS: [&str; 6] =
    ["package.json", "package-lock.json", "tsconfig.json", "vite.config.ts", "index.html", "src"];

fn main() -> io::Result<()> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).unwrap_or_default();
    let (manifest, out) = (variable("CARGO_MANIFEST_DIR"), variable("OUT_DIR"));
    let sources = manifest.join("../../dashboard");
    println!("cargo::rerun-if-env-changed=REMUDA_DASHBOARD");
    for input in INPUTS {
        println!("cargo::rerun-if-changed={}", sources.join(input).display());
    }
    let is_required = std::env::var("REMUDA_DASHBOARD").is_ok_and(|value| value == "required");
    let list = match build(&sources, &out) {
        Ok(folder) => written(&folder)?,
        Err(why) if is_required => return Err(io::Error::other(why)),
        Err(why) => format!("const BUILT: Result<&[Asset], &str> = Err({why:?});\n"),
    };
    fs::write(out.join("assets.rs"), list)
}

/// The folder with the built pages, or in one line why there is none.
fn build(sources: &Path, out: &Path) -> Result<PathBuf, String> {
    let work = out.join("dashboard");
    let pages = work.join("dist");
    // The sources stay as they are: what npm makes, it makes here.
    copied(sources, &work).map_err(|error| format!("its sources cannot be copied: {error}"))?;
    npm(&work, &["ci", "--no-audit", "--no-fund", "--loglevel=error"])?;
    npm(&work, &["run", "--silent", "build"])?;
    Ok(pages)
}

fn copied(sources: &Path, work: &Path) -> io::Result<()> {
    for gone in ["src", "dist"] {
        match fs::remove_dir_all(work.join(gone)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    for input in INPUTS {
        copy(&sources.join(input), &work.join(input))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        fs::create_dir_all(to.parent().unwrap_or(to))?;
        return fs::copy(from, to).map(|_bytes| ());
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn npm(folder: &Path, arguments: &[&str]) -> Result<(), String> {
    let step = format!("npm {}", arguments.join(" "));
    let output = Command::new("npm").args(arguments).current_dir(folder).output();
    let output = output.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "npm was not there when it was built".to_owned(),
        _ => format!("{step} cannot be run: {error}"),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stderr, output.stdout].concat();
    let said = String::from_utf8_lossy(&said);
    let line = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it does not say why");
    Err(format!("{step} failed when it was built: {line}"))
}

/// The files of `folder` as a list in Rust.
fn written(folder: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    found(folder, &mut files)?;
    files.sort();
    let mut list = String::from("const BUILT: Result<&[Asset], &str> = Ok(&[\n");
    for file in files {
        let path = file.strip_prefix(folder).map_err(io::Error::other)?.to_string_lossy().into_owned();
        let content = file.to_string_lossy();
        let _ = writeln!(list, "    Asset {{ path: {path:?}, content: include_bytes!({content:?}) }},");
    }
    list.push_str("]);\n");
    Ok(list)
}

fn found(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { found(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

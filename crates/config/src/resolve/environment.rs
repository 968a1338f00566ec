//! Variables of workers: files of variables first, then `[service.NAME.env]`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use remuda_model::{Environment, ServiceName, SocketName};

use super::{Resolution, or};
use crate::env_file;
use crate::raw::{self, Located, Variable};
use crate::report::Problem;
use crate::substitute;

/// Longest file of variables, bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

impl Resolution<'_> {
    pub(super) fn environment(
        &mut self,
        service: &ServiceName,
        raw: &raw::Service,
        sockets: &[SocketName],
    ) -> Environment {
        let mut variables = BTreeMap::new();
        for file in raw.env_files.iter().flat_map(|files| &files.value) {
            for (name, value) in self.variables_of(file) {
                self.masked.insert((service.clone(), name.clone()));
                // A file of variables knows no placeholders.
                variables.insert(name, substitute::escape(&value));
            }
        }
        for (name, value) in raw.env.iter().flatten() {
            let Located { value: Variable(text), span } = value;
            self.variable(name, &Located { value: text.clone(), span: span.clone() }, sockets);
            let key = (service.clone(), name.value.clone());
            if span.as_ref().is_some_and(|span| self.expanded.contains(&span.start)) {
                self.masked.insert(key);
            } else {
                self.masked.remove(&key);
            }
            variables.insert(name.value.clone(), text.clone());
        }
        Environment { inherit: or(&raw.inherit_env, false), variables }
    }

    fn variable(&mut self, name: &Located<String>, text: &Located<String>, sockets: &[SocketName]) {
        if name.is_empty() || name.contains(['=', '\0']) {
            let message = format!("{:?} is not the name of a variable", name.value);
            self.error(name.span.as_ref(), message);
        }
        self.argument(text, sockets);
    }

    fn variables_of(&mut self, file: &Located<String>) -> Vec<(String, String)> {
        let (name, optional) = match file.strip_prefix('-') {
            Some(name) => (name, true),
            None => (file.as_str(), false),
        };
        let path = self.path(&file.with(name.to_owned()));
        let text = match read(&path) {
            Ok(text) => text,
            Err(why) if optional && why.kind() == io::ErrorKind::NotFound => return Vec::new(),
            Err(why) => {
                let message = format!("the variables of {} cannot be read: {why}", path.display());
                let problem = Problem::error(file.span.clone(), message);
                let missing = why.kind() == io::ErrorKind::NotFound;
                self.problems.push(if missing {
                    problem.hint(format!("create it, or write \"-{name}\" if it may be missing"))
                } else {
                    problem
                });
                return Vec::new();
            }
        };
        let base = self.sources.add(&path, &text);
        let (variables, errors) = env_file::parse(&text);
        for why in errors {
            let range = why.range();
            self.error(Some(&(base + range.start..base + range.end)), why.to_string());
        }
        variables
    }
}

fn read(path: &Path) -> io::Result<String> {
    // A pipe or a device would keep us waiting.
    if !path.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut text = String::new();
    let length = File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if u64::try_from(length).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {FILE_BYTES_MAX} bytes"),
        ));
    }
    Ok(text)
}

//! Real files in a folder of the test's own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use remuda_model::{LogFile, ServiceName};

use super::LogFiles;
use crate::logs::{LogLine, Stream};

/// A folder that is gone after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("remuda-{test}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Left over, it harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn spec(folder: &Path, name: &str) -> LogFile {
    LogFile { path: folder.join(name), max_size: 0, keep: 0 }
}

fn lines(service: &ServiceName, texts: &[&str]) -> Vec<Arc<LogLine>> {
    let line = |text: &&str| LogLine {
        seq: 0,
        time_ms: 0,
        service: service.clone(),
        slot: 0,
        pid: 1,
        stream: Stream::Stdout,
        text: (*text).to_owned(),
        partial: false,
    };
    texts.iter().map(|text| Arc::new(line(text))).collect()
}

#[test]
fn the_last_words_of_a_service_are_written_even_when_it_loses_its_file_at_once() {
    let folder = Folder::new("last-words");
    let (web, api) = (ServiceName::new("web").unwrap(), ServiceName::new("api").unwrap());
    let files = LogFiles::start().unwrap();
    for service in [&web, &api] {
        files.open(service, Some(spec(&folder.0, service.as_str())));
    }
    for _ in 0..100 {
        files.write(&api, lines(&api, &["on"]));
    }
    files.write(&web, lines(&web, &["farewell", "world"]));
    files.open(&web, None);
    files.write(&web, lines(&web, &["too late"]));
    files.write(&api, lines(&api, &["and on"]));
    files.finish();
    assert_eq!(folder.read("web"), "farewell\nworld\n");
    assert_eq!(folder.read("api"), "on\n".repeat(100) + "and on\n");
    assert_eq!(files.take_troubles(), [""; 0]);
    assert!(files.dropped().is_empty());
}

#[test]
fn after_a_reopening_lines_go_to_a_new_file_of_the_old_name() {
    let folder = Folder::new("reopening");
    let web = ServiceName::new("web").unwrap();
    let files = LogFiles::start().unwrap();
    files.open(&web, Some(spec(&folder.0, "log")));
    files.write(&web, lines(&web, &["first"]));
    files.finish();
    let files = LogFiles::start().unwrap();
    files.open(&web, Some(spec(&folder.0, "log")));
    std::fs::rename(folder.0.join("log"), folder.0.join("log.old")).unwrap();
    files.reopen();
    files.write(&web, lines(&web, &["second"]));
    files.finish();
    assert_eq!((folder.read("log.old").as_str(), folder.read("log").as_str()), ("first\n", "second\n"));
}

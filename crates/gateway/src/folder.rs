//! A gateway that serves one folder and nothing else, without routes: for programs that have no config, and measurements.

use remuda_model::gateway::FilesSpec;

use crate::files::{Files, FilesError};
use crate::server::{Handler, Request, Response};

/// Answers with the files of a folder.
#[derive(Debug)]
pub struct Folder {
    files: Files,
}

impl Folder {
    /// For the folder of `spec`.
    ///
    /// # Errors
    /// It cannot be served.
    pub fn open(spec: FilesSpec) -> Result<Self, FilesError> {
        Ok(Self { files: Files::open(spec)? })
    }
}

impl Handler for Folder {
    async fn handle(&self, request: &mut Request) -> Response {
        self.files.respond(request, request.head.path()).await
    }
}

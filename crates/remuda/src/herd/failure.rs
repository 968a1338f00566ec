//! What failures of the herd mean for the exit code, and what to do next.

use remuda_trust::enrolment::EnrolmentError;
use remuda_trust::{FolderError, TokenError, UpkeepError};

use crate::exit::{Exit, Failure};

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        let (exit, hint) = match &error {
            FolderError::NoMember(_) => {
                (Exit::Refused, Some("`remuda herd init` begins a herd, `remuda herd join` joins one"))
            }
            FolderError::Member(_) => {
                (Exit::Refused, Some("`remuda herd status` shows which; to leave it, remove the folder"))
            }
            FolderError::Exposed { .. } | FolderError::Invitations(_) | FolderError::Nodes(_) => {
                (Exit::Refused, None)
            }
            FolderError::Call(_)
            | FolderError::Folder { .. }
            | FolderError::Damaged { .. }
            | FolderError::Locked(_) => (Exit::No, None),
        };
        with(Self::new(exit, error.to_string()), hint)
    }
}

impl From<UpkeepError> for Failure {
    fn from(error: UpkeepError) -> Self {
        let (exit, hint) = match error {
            UpkeepError::Folder(error) => return error.into(),
            UpkeepError::Life | UpkeepError::Uses => (Exit::Misuse, None),
            UpkeepError::NoAddress => (Exit::Misuse, Some("name where it is with --address HOST:PORT")),
            UpkeepError::NoSigner => {
                (Exit::Refused, Some("`remuda herd nodes` shows which nodes are signers"))
            }
            UpkeepError::Rotating => (Exit::Refused, Some("`remuda herd rotate --finish` ends it")),
            UpkeepError::NotRenewed(_) => {
                (Exit::Refused, Some("`remuda herd renew --from ADDRESS`, with the signer that rotated"))
            }
            UpkeepError::Myself | UpkeepError::NotRotating => (Exit::Refused, None),
            UpkeepError::Authority(_) | UpkeepError::Random(_) | UpkeepError::Trust(_) => (Exit::No, None),
        };
        with(Self::new(exit, error.to_string()), hint)
    }
}

impl From<EnrolmentError> for Failure {
    fn from(error: EnrolmentError) -> Self {
        let (exit, hint) = match error {
            EnrolmentError::Folder(error) => return error.into(),
            EnrolmentError::NoSigner => (Exit::Misuse, None),
            EnrolmentError::Refused { .. } | EnrolmentError::Expired | EnrolmentError::Late(_) => {
                (Exit::Refused, None)
            }
            EnrolmentError::Unreachable(_) => (
                Exit::No,
                Some(
                    "the signer's hub must run and be reachable, or `remuda herd invite --listen` wait there",
                ),
            ),
            EnrolmentError::Broken { .. }
            | EnrolmentError::Unusable { .. }
            | EnrolmentError::Credentials(_)
            | EnrolmentError::Trust(_)
            | EnrolmentError::Endpoint(_)
            | EnrolmentError::Clock => (Exit::No, None),
        };
        with(Self::new(exit, error.to_string()), hint)
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Self::misuse(error.to_string())
    }
}

fn with(failure: Failure, hint: Option<&str>) -> Failure {
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

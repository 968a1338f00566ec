//! The account at an authority.

use std::io;
use std::path::PathBuf;

use instant_acme::{Account, AccountBuilder, AccountCredentials, ExternalAccountKey, NewAccount};
use remuda_model::gateway::AcmeSpec;

use super::folder::{self, Folder};

/// There is no account.
#[derive(Debug, thiserror::Error)]
pub(super) enum AccountError {
    /// The authority, or the way to it.
    #[error("open an account at {directory}: {source}")]
    Authority { directory: String, source: Box<instant_acme::Error> },
    /// The folder.
    #[error("keep the account in {}: {source}", path.display())]
    Keep { path: PathBuf, source: io::Error },
    /// The file of that key.
    #[error("read the key of an external account from {}: {source}", path.display())]
    ExternalKey { path: PathBuf, source: io::Error },
    /// The key of an account that is there already.
    #[error("use the external account {key_id}: its key is not base64url")]
    External { key_id: String },
}

/// The account that is kept, or a new one.
pub(super) async fn open(spec: &AcmeSpec, folder: &Folder) -> Result<Account, AccountError> {
    let path = folder.account(&spec.directory);
    let authority =
        |source| AccountError::Authority { directory: spec.directory.clone(), source: Box::new(source) };
    let keep = |source| AccountError::Keep { path: path.clone(), source };
    let builder = || -> Result<AccountBuilder, instant_acme::Error> {
        match &spec.authorities {
            Some(authorities) => Account::builder_with_root(authorities),
            None => Account::builder(),
        }
    };
    if let Some(known) = folder::read_json::<AccountCredentials>(&path).map_err(keep)? {
        return builder().map_err(authority)?.from_credentials(known).await.map_err(authority);
    }
    let external = match &spec.external_account {
        None => None,
        Some(external) => {
            let path = external.key_file.clone();
            let file = path.clone();
            let text = tokio::task::spawn_blocking(move || std::fs::read_to_string(file)).await;
            let text = text
                .map_err(io::Error::other)
                .flatten()
                .map_err(|source| AccountError::ExternalKey { path, source })?;
            let key = data_encoding::BASE64URL_NOPAD.decode(text.trim().trim_end_matches('=').as_bytes());
            let key = key.map_err(|_malformed| AccountError::External { key_id: external.key_id.clone() })?;
            Some(ExternalAccountKey::new(external.key_id.clone(), &key))
        }
    };
    let contacts: Vec<_> = spec.contacts.iter().map(|address| format!("mailto:{address}")).collect();
    let contacts: Vec<_> = contacts.iter().map(String::as_str).collect();
    let wanted = NewAccount {
        contact: &contacts,
        terms_of_service_agreed: spec.terms_agreed,
        only_return_existing: false,
    };
    let created = builder().map_err(authority)?.create(&wanted, spec.directory.clone(), external.as_ref());
    let (account, credentials) = created.await.map_err(authority)?;
    folder::write_json(&path, &credentials).map_err(keep)?;
    log::info!("an account at {} is open", spec.directory);
    Ok(account)
}

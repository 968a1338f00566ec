//! One order: from the wish to a certificate.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use instant_acme::{
    Account, AuthorizationStatus, CertificateIdentifier, ChallengeType, Identifier, NewOrder, Order,
    OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, KeyPair};
use remuda_model::gateway::AcmeChallenge;

use super::folder::{self, Folder};

/// What an authority knows a problem by that time alone heals (RFC 8555 6.7).
const LIMITED: &str = "urn:ietf:params:acme:error:rateLimited";
/// What it says of an account that it does not have any more.
const NO_ACCOUNT: &str = "urn:ietf:params:acme:error:accountDoesNotExist";

/// There is no certificate.
#[derive(Debug, thiserror::Error)]
pub(super) enum OrderError {
    /// The authority, or the way to it.
    #[error("{0}")]
    Authority(#[from] instant_acme::Error),
    /// It does not look in this way.
    #[error("the authority does not offer {0}")]
    NotOffered(&'static str),
    /// It has looked and was not content.
    #[error("the authority could not see by {way} that the host is ours: {detail}")]
    Refused { way: &'static str, detail: String },
    /// Answers for it cannot be kept.
    #[error("write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    /// The key or the wish.
    #[error("make the key and the request: {0}")]
    Request(#[from] rcgen::Error),
    /// It took too long.
    #[error("it did not come within {} s", .0.as_secs())]
    Late(Duration),
}

impl OrderError {
    fn is(&self, kind: &str) -> bool {
        matches!(self, Self::Authority(instant_acme::Error::Api(problem)) if problem.r#type.as_deref() == Some(kind))
    }

    /// Whether time alone heals it.
    pub(super) fn is_limited(&self) -> bool {
        self.is(LIMITED)
    }

    /// Whether there is no such account any more.
    pub(super) fn is_without_account(&self) -> bool {
        self.is(NO_ACCOUNT)
    }
}

/// What is ordered, and how.
pub(super) struct Wish<'a> {
    pub(super) host: &'a str,
    pub(super) way: AcmeChallenge,
    pub(super) profile: Option<&'a str>,
    pub(super) replaces: Option<CertificateIdentifier<'a>>,
    pub(super) within: Duration,
}

/// Certificate and key, PEM.
pub(super) async fn place(account: &Account, folder: &Folder, wish: &Wish<'_>) -> Result<String, OrderError> {
    let retry = RetryPolicy::new().timeout(wish.within);
    let mut order = begin(account, wish).await?;
    let mut answers = Answers(Vec::new());
    prove(&mut order, folder, wish, &mut answers).await?;
    let status = match order.poll_ready(&retry).await {
        Ok(status) => status,
        // How an order ends that was refused; other problems are told as they are.
        Err(instant_acme::Error::Api(_)) if order.state().status == OrderStatus::Invalid => {
            OrderStatus::Invalid
        }
        Err(error) => return Err(error.into()),
    };
    if status != OrderStatus::Ready {
        return Err(OrderError::Refused { way: name(wish.way), detail: why(&mut order).await });
    }
    let key = KeyPair::generate()?;
    let mut wanted = CertificateParams::new(vec![wish.host.to_owned()])?;
    // The name stands where clients look; a common name has no use any more, and the default would be another.
    wanted.distinguished_name = rcgen::DistinguishedName::new();
    order.finalize_csr(wanted.serialize_request(&key)?.der()).await?;
    let chain = order.poll_certificate(&retry).await?;
    Ok(format!("{}\n{}", chain.trim_end(), key.serialize_pem()))
}

/// An authority that does not know what is replaced takes the order without saying so.
async fn begin(account: &Account, wish: &Wish<'_>) -> Result<Order, OrderError> {
    let identifiers = [Identifier::Dns(wish.host.to_owned())];
    let new = || match wish.profile {
        Some(profile) => NewOrder::new(&identifiers).profile(profile),
        None => NewOrder::new(&identifiers),
    };
    if let Some(replaces) = &wish.replaces {
        match account.new_order(&new().replaces(replaces.clone())).await {
            Ok(order) => return Ok(order),
            Err(error) => log::debug!("order a certificate for {} as a renewal: {error}", wish.host),
        }
    }
    Ok(account.new_order(&new()).await?)
}

/// Puts what the authority will look for where all workers find it, and has it look.
async fn prove(
    order: &mut Order,
    folder: &Folder,
    wish: &Wish<'_>,
    answers: &mut Answers,
) -> Result<(), OrderError> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let kind = match wish.way {
            AcmeChallenge::Http01 => ChallengeType::Http01,
            AcmeChallenge::TlsAlpn01 => ChallengeType::TlsAlpn01,
        };
        let Some(mut challenge) = authorization.challenge(kind) else {
            return Err(OrderError::NotOffered(name(wish.way)));
        };
        let proof = challenge.key_authorization();
        let (path, bytes) = match wish.way {
            // What is no token cannot be the name of a file; the authority's word is not taken for it.
            AcmeChallenge::Http01 if !is_token(&challenge.token) => {
                return Err(OrderError::Authority(instant_acme::Error::Str("a token that is one")));
            }
            AcmeChallenge::Http01 => (folder.challenge(&challenge.token), proof.as_str().to_owned()),
            AcmeChallenge::TlsAlpn01 => {
                (folder.handshake(wish.host), data_encoding::HEXLOWER.encode(proof.digest().as_ref()))
            }
        };
        answers.0.push(path.clone());
        folder::write(&path, bytes.as_bytes()).map_err(|source| OrderError::Write { path, source })?;
        challenge.set_ready().await?;
    }
    Ok(())
}

fn is_token(token: &str) -> bool {
    super::token(format!("/.well-known/acme-challenge/{token}").as_bytes()).is_some()
}

/// What the authority did not like.
async fn why(order: &mut Order) -> String {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let Ok(state) = authorization.refresh().await else { continue };
        if let Some(problem) = state.challenges.iter().find_map(|challenge| challenge.error.as_ref()) {
            return problem.detail.clone().unwrap_or_else(|| problem.to_string());
        }
    }
    order.state().error.as_ref().map_or_else(|| "it does not say why".to_owned(), ToString::to_string)
}

fn name(way: AcmeChallenge) -> &'static str {
    match way {
        AcmeChallenge::Http01 => "http-01",
        AcmeChallenge::TlsAlpn01 => "tls-alpn-01",
    }
}

/// Files that are of no more use when the order ends.
struct Answers(Vec<PathBuf>);

impl Drop for Answers {
    fn drop(&mut self) {
        for path in &self.0 {
            let _gone = std::fs::remove_file(path);
        }
    }
}

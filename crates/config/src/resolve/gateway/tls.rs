//! `[gateway.tls]`, `[[certificate]]` and `[acme]`.

use std::os::unix::fs::MetadataExt as _;

use remuda_model::InstanceSpec;
use remuda_model::gateway::{
    AcmeChallenge, AcmeSpec, CertificateSpec, ClientCertificateSpec, ExternalAccount, GatewaySpec,
    HostPattern, TlsSpec,
};

use super::{listed, span_of};
use crate::raw::{self, Located};
use crate::report::Problem;
use crate::resolve::{Resolution, Sockets, or};

/// Where Let's Encrypt is.
const DIRECTORY: &str = "https://acme-v02.api.letsencrypt.org/directory";

impl Resolution<'_> {
    pub(super) fn tls(&mut self, raw: &raw::Tls, _sockets: &Sockets) -> TlsSpec {
        let sockets = self.own_sockets(&raw.sockets);
        if sockets.is_empty() && raw.sockets.as_ref().is_none_or(|sockets| sockets.0.is_empty()) {
            let span = span_of(&self.file.gateway);
            let problem = Problem::error(span_of(&raw.sockets).or(span), "[gateway.tls] names no `sockets`");
            self.problems.push(problem.hint("write on which TLS is spoken: sockets = [\"https\"]"));
        }
        let default = TlsSpec::default();
        let second = |time: &raw::Duration| time.0.subsec_nanos() == 0;
        self.demand(&raw.hsts, second, "this time is told in whole seconds");
        TlsSpec {
            sockets,
            min_version: or(&raw.min_version, default.min_version),
            http2: or(&raw.http2, default.http2),
            client: raw.client.as_ref().and_then(|client| self.client_certificate(client)),
            redirect: or(&raw.redirect, default.redirect),
            hsts: raw.hsts.as_ref().map(|time| time.0.as_secs()),
        }
    }

    fn client_certificate(&mut self, raw: &raw::ClientCertificate) -> Option<ClientCertificateSpec> {
        let Some(authorities) = &raw.authorities else {
            let problem =
                Problem::error(span_of(&self.file.gateway), "[gateway.tls.client] has no `authorities`");
            self.problems
                .push(problem.hint("write who signs certificates of clients: authorities = \"clients.pem\""));
            return None;
        };
        Some(ClientCertificateSpec {
            authorities: self.file_there(authorities, "the authorities of"),
            required: or(&raw.required, true),
            hosts: self.hosts(&raw.hosts),
        })
    }

    pub(super) fn certificates(&mut self, spec: &mut GatewaySpec) {
        let file = self.file;
        for (index, raw) in file.certificate.iter().enumerate() {
            let resolved = self.section("certificate", &format!("#{index}"), |this| this.certificate(raw));
            spec.certificates.extend(resolved);
        }
        if let (Some(first), None) = (file.certificate.first(), &spec.tls)
            && file.gateway.as_ref().is_none_or(|gateway| gateway.tls.is_none())
        {
            let problem =
                Problem::error(first.span.clone(), "there is a certificate, and no socket speaks TLS");
            self.problems.push(problem.hint("write [gateway.tls] with sockets = [\"https\"]"));
        }
    }

    fn certificate(&mut self, raw: &Located<raw::Certificate>) -> Option<CertificateSpec> {
        let (Some(certificate), Some(key)) = (&raw.certificate, &raw.key) else {
            let missing = if raw.certificate.is_none() { "certificate" } else { "key" };
            self.error(raw.span.as_ref(), format!("this [[certificate]] has no `{missing}`"));
            return None;
        };
        let spec = CertificateSpec {
            certificate: self.file_there(certificate, "the certificate"),
            key: self.file_there(key, "the key"),
            hosts: self.hosts(&raw.hosts),
        };
        if spec.key.metadata().is_ok_and(|found| found.mode() & 0o077 != 0) {
            let message = format!("others can read the key {}", spec.key.display());
            let problem = Problem::warning(key.span.clone(), message);
            self.problems.push(problem.hint(format!("chmod 600 {}", spec.key.display())));
        }
        Some(spec)
    }

    pub(super) fn acme(&mut self, instance: &InstanceSpec) -> Option<AcmeSpec> {
        let raw = self.file.acme.as_ref()?;
        let hosts = self.hosts(&raw.hosts);
        if hosts.is_empty() && listed(&raw.hosts).is_empty() {
            let problem = Problem::error(raw.span.clone(), "[acme] names no `hosts`");
            self.problems.push(
                problem.hint("write for which hosts certificates are wanted: hosts = [\"example.org\"]"),
            );
        }
        for text in listed(&raw.hosts) {
            if text.parse::<HostPattern>().is_ok_and(|host| host.suffix().is_some()) {
                let problem = Problem::error(
                    text.span.clone(),
                    format!("{} needs a challenge by DNS, which there is none", text.value),
                );
                self.problems.push(problem.hint("name the hosts one by one"));
            }
        }
        if !or(&raw.terms_agreed, false) {
            let span = span_of(&raw.terms_agreed).or_else(|| raw.span.clone());
            let problem = Problem::error(span, "the authority's terms are not agreed to: it issues nothing");
            self.problems.push(problem.hint("read them, and write terms_agreed = true"));
        }
        let directory = or(&raw.directory, DIRECTORY.to_owned());
        if !directory.starts_with("https://") {
            self.error(span_of(&raw.directory).as_ref(), "an authority is asked by https://");
        }
        let both = vec![AcmeChallenge::Http01, AcmeChallenge::TlsAlpn01];
        let challenges =
            raw.challenges.as_ref().map(|list| list.iter().map(|item| item.value).collect::<Vec<_>>());
        if challenges.as_ref().is_some_and(Vec::is_empty) {
            self.error(span_of(&raw.challenges).as_ref(), "at least one challenge is needed");
        }
        Some(AcmeSpec {
            directory,
            contacts: listed(&raw.contacts)
                .iter()
                .map(|text| text.trim_start_matches("mailto:").to_owned())
                .collect(),
            terms_agreed: or(&raw.terms_agreed, false),
            hosts: hosts.iter().map(|host| host.as_str().to_owned()).collect(),
            challenges: challenges.unwrap_or(both),
            profile: raw.profile.as_ref().map(|text| text.value.clone()),
            external_account: raw
                .external_account
                .as_ref()
                .and_then(|account| self.external_account(account)),
            authorities: raw.authorities.as_ref().map(|file| self.file_there(file, "the authorities of")),
            state_dir: self.state_dir(raw.state.as_ref(), &instance.name, remuda_model::gateway::GATEWAY),
        })
    }

    fn external_account(&mut self, raw: &raw::ExternalAccount) -> Option<ExternalAccount> {
        let (Some(key_id), Some(key_file)) = (&raw.key_id, &raw.key_file) else {
            self.error(
                span_of(&self.file.acme).as_ref(),
                "an external account has a `key_id` and a `key_file`",
            );
            return None;
        };
        let key_file = self.file_there(key_file, "the key of the account");
        Some(ExternalAccount { key_id: key_id.value.clone(), key_file })
    }

    /// A socket that speaks TLS has something to show.
    pub(super) fn tls_has_certificates(&mut self, spec: &GatewaySpec, raw: &raw::Gateway) {
        let has_none = self.file.certificate.is_empty() && self.file.acme.is_none();
        if spec.tls.is_some() && has_none {
            let span = raw.tls.as_ref().and_then(|tls| span_of(&tls.sockets));
            let problem = Problem::error(span, "these sockets speak TLS, and there is no certificate");
            self.problems.push(problem.hint("write [[certificate]] with `certificate` and `key`, or [acme]"));
        }
    }
}

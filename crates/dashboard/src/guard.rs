//! What a request says of where it comes from.
//!
//! A page of somebody else can make a browser ask us, with our cookie. So the name it asks by has to be ours (a foreign name
//! may be made to mean our address), and what changes something has to come from our own page: it says so by a header that
//! no foreign page can set, and the browser says so by the origin.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{HOST, HeaderMap, ORIGIN};

/// The header of changing requests; its value does not matter.
pub(crate) const HEADER: &str = "x-remuda-dashboard";

/// Whether the name that the browser asked by is one of ours.
pub(crate) fn is_our_host(headers: &HeaderMap, own: &[String]) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next()) else {
        return false;
    };
    // An address is no name that could be made to mean another one.
    if host.parse::<SocketAddr>().is_ok() || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        return true;
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _port)| name).to_ascii_lowercase();
    name == "localhost" || own.contains(&name)
}

/// Whether a changing request comes from our own page.
pub(crate) fn is_our_page(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let is_own = match text(ORIGIN) {
        // Not a browser, or one that sends none within a page's own origin.
        None => !headers.contains_key(ORIGIN),
        Some(origin) => {
            let host = origin.split_once("://").map(|(_scheme, host)| host);
            host.is_some() && host == text(HOST)
        }
    };
    is_own && headers.contains_key(HEADER)
}

#[cfg(test)]
mod tests;

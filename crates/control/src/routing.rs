//! What can be asked about the routes of the gateways, and who answers.
//!
//! The rules by which a request finds its route are the gateway's, whose crate stands beside this one: neither knows the
//! other. The program that is made of both hands the answers in, as functions of the config in force.

use std::net::IpAddr;

use remuda_model::Config;

use crate::body::{RouteList, RouteMatch};

/// A request whose route is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteQuestion {
    /// Its method.
    pub method: String,
    /// Its URL: `https://HOST/PATH`, or `/PATH`.
    pub url: String,
    /// Its host, where the URL has none.
    pub host: String,
    /// Names and values of its headers.
    pub headers: Vec<(String, String)>,
    /// The client's address.
    pub from: IpAddr,
    /// The socket it comes in on; none means the first of the first gateway.
    pub socket: Option<String>,
}

/// The answers.
#[derive(Debug, Clone, Copy)]
pub struct Routing {
    /// The routes of a config.
    pub list: fn(&Config) -> RouteList,
    /// Which of them a request takes; in a sentence, why that cannot be said.
    pub test: fn(&Config, &RouteQuestion) -> Result<RouteMatch, String>,
}

impl RouteQuestion {
    /// A header from `NAME: VALUE`.
    ///
    /// # Errors
    /// In a sentence, why it is none.
    pub fn header(text: &str) -> Result<(String, String), String> {
        let (name, value) = text.split_once(':').ok_or("it has no colon: write NAME: VALUE")?;
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(format!("{name:?} is no name of a header"));
        }
        Ok((name.to_owned(), value.trim().to_owned()))
    }
}

//! The documents about the routes of the gateways.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The routes of the gateways.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct RouteList {
    /// In the order of the file; none where there is no gateway.
    pub routes: Vec<GatewayRoute>,
}

/// A route of the gateways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GatewayRoute {
    /// Its name, as in figures.
    pub name: String,
    /// In which line of the file it begins, where that is known; an arbiter does not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// For these methods; none means any.
    pub methods: Vec<String>,
    /// For these hosts; none means any.
    pub hosts: Vec<String>,
    /// The pattern of its path.
    pub path: String,
    /// What else has to be so.
    pub conditions: Vec<String>,
    /// Which kind of thing it does: `files`, `to`, `respond` …
    pub action: String,
    /// What it does, as key and value would be written.
    pub does: String,
}

/// Which route a request takes, and why not the others.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct RouteMatch {
    /// The one it takes; none where it is answered 404, or 405 with `allow`.
    pub route: Option<GatewayRoute>,
    /// What the parameters of its pattern took.
    pub parameters: BTreeMap<String, String>,
    /// Where there are routes for this path and none for this method: the methods they allow.
    pub allow: Option<Vec<String>>,
    /// All routes, in the order of the file.
    pub routes: Vec<RouteVerdict>,
}

/// What a route is for a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RouteVerdict {
    /// Its name.
    pub route: String,
    /// In which line of the file it begins, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// `taken`, or why not.
    pub verdict: String,
}

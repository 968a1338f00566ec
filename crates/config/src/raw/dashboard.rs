//! `[dashboard]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Field, Located};

/// A page for browsers, to look at the instance and to operate it: `[dashboard]`. `remuda up` serves it with or without this
/// table.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Dashboard {
    /// TCP address, as "127.0.0.1:7900", or "off". With port 0 a free port is chosen once and kept with the tokens.
    /// Default: "127.0.0.1:0".
    pub listen: Field<String>,
    /// Listen beyond this machine although nothing is encrypted. Default: false.
    pub exposed: Field<bool>,
    /// Names by which browsers may call it, besides localhost and addresses. Default: none.
    pub hosts: Field<Vec<Located<String>>>,
    /// Folder of its tokens; one that stays lets them outlive the instance. Default: `dashboard` in `runtime_dir`.
    pub state: Field<String>,
}

//! The dashboard of `remuda up`, and the commands that open it to people.

use std::net::SocketAddr;
use std::time::Duration;

use remuda_control::{Api, Asker, Grant};
use remuda_daemon::Handle;
use remuda_dashboard::{Keys, KeysError, Opened, Pages, Place, Role, Token};
use remuda_model::Config;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::arguments::{DashboardArguments, DashboardCommand, DashboardRole, Global};
use crate::exit::{Exit, Failure, Outcome};
use crate::instance;
use crate::screen::Screen;
use crate::terminal::Notes;

/// A dashboard is there at once when its arbiter is; a machine that is busy may take so long.
const APPEARS_WITHIN: Duration = Duration::from_secs(2);
/// Pause between two looks for it.
const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// Serves the dashboard as the config wants it, until `stop` is done. That it cannot be served is said, and keeps nothing
/// else from running.
pub(crate) async fn serve(
    handle: Handle,
    api: Api<Handle>,
    notes: Notes,
    stop: impl Future<Output = Option<i32>>,
) {
    // The arbiter may end before it says anything.
    let Ok(config) = handle.config().await else { return };
    let spec = &config.instance.dashboard;
    if spec.listen.is_none() {
        return;
    }
    let pages = match Pages::built() {
        Ok(pages) => pages,
        Err(why) => return notes.say(format!("no dashboard in this build: {why}")),
    };
    let place = Place::new(config.instance.dashboard_state());
    let opened = |opened: Opened| match &opened.token {
        Some(token) => notes.say(format!("dashboard: {}", url(&opened.address.to_string(), Some(token)))),
        None => notes.say(format!("dashboard: {}", url(&opened.address.to_string(), None))),
    };
    let api = async move |role: Role, request| {
        let grant = match role {
            Role::View => Grant::View,
            Role::Operate => Grant::Operate,
        };
        api.answer(&Asker { by: format!("dashboard ({role})"), grant }, request).await
    };
    let over = async {
        stop.await;
    };
    if let Err(error) = remuda_dashboard::serve(spec, &place, pages, api, opened, over).await {
        notes.say(format!("no dashboard: {error}"));
    }
}

/// A line for who has started an instance of `config` in the background: where its dashboard is, and how to get in. None
/// where it is to have none.
///
/// Nobody looks at what the one in the background says, so its first token is never seen; nor is one made here, for what
/// is printed by a command that starts a service often ends in a log.
pub(crate) async fn whereabouts(config: &Config) -> Option<String> {
    let wanted = config.instance.dashboard.listen?;
    if let Err(why) = Pages::built() {
        return Some(format!("no dashboard in this build: {why}"));
    }
    let place = Place::new(config.instance.dashboard_state());
    let end = Instant::now() + APPEARS_WITHIN;
    loop {
        if let Some(address) = place.address()
            && is_served(wanted, address).await
        {
            let url = url(&address.to_string(), None);
            return Some(format!("dashboard: {url} (`remuda dashboard token` makes a token for it)"));
        }
        if Instant::now() >= end {
            return Some(format!("no dashboard: nobody answers at {wanted}"));
        }
        sleep(LOOK_PAUSE).await;
    }
}

/// Whether `address`, kept by a dashboard of now or by one before, is one that `wanted` may have become, and answers.
async fn is_served(wanted: SocketAddr, address: SocketAddr) -> bool {
    let is_possible = wanted.ip() == address.ip() && [0, address.port()].contains(&wanted.port());
    is_possible && TcpStream::connect(address).await.is_ok()
}

/// `remuda dashboard`.
pub(crate) async fn run(arguments: DashboardArguments, global: &Global, screen: &mut Screen) -> Outcome {
    let config = instance::find(global).await?.config().await?;
    let (listen, place) = place(&config)?;
    if listen == "off" {
        return Err(Failure::new(Exit::No, "the dashboard of this instance is off")
            .hint("remove listen = \"off\" from [dashboard], then start it anew"));
    }
    let Some(address) = place.address() else {
        let why = Pages::built().err().unwrap_or("`remuda up` says why when it starts");
        return Err(Failure::new(Exit::No, format!("this instance serves no dashboard: {why}")));
    };
    let (token, printing) = match &arguments.command {
        DashboardCommand::Url(printing) => (None, printing),
        DashboardCommand::Token(arguments) => {
            let role = match arguments.role {
                DashboardRole::View => Role::View,
                DashboardRole::Operate => Role::Operate,
            };
            (Some(Keys::renew(&place, role)?), &arguments.printing)
        }
    };
    let url = url(&address.to_string(), token.as_ref());
    if printing.json {
        screen.json(&json!({"url": url, "token": token.as_ref().map(Token::as_str)}))?;
    } else {
        screen.line(&url)?;
    }
    Ok(Exit::Done)
}

/// The address for a browser. What is behind `#` is not sent to anybody, nor written into anybody's log.
fn url(address: &str, token: Option<&Token>) -> String {
    let token = token.map(|token| format!("#token={}", token.as_str())).unwrap_or_default();
    format!("http://{address}/{token}")
}

/// What the config in force says of the dashboard.
fn place(config: &str) -> Result<(String, Place), Failure> {
    #[derive(Deserialize)]
    struct File {
        dashboard: Table,
    }
    #[derive(Deserialize)]
    struct Table {
        listen: String,
        state: String,
    }
    let file: File = toml::from_str(config).map_err(|_error| {
        Failure::new(Exit::No, "the arbiter says nothing of a dashboard: is it an older version?")
            .hint("`remuda upgrade` has this one go on in its place")
    })?;
    Ok((file.dashboard.listen, Place::new(file.dashboard.state)))
}

impl From<KeysError> for Failure {
    fn from(error: KeysError) -> Self {
        Self::new(Exit::No, error.to_string())
    }
}

//! From a request to the operation of its route.

use std::collections::BTreeMap;
use std::path::Path;

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::{Request, StatusCode};
use remuda_daemon::Gone;
use remuda_model::{Config, Refusal};

use crate::body::{About, Accepted, EffectiveConfig};
use crate::gateway;
use crate::hub;
use crate::metrics::metrics;
use crate::route::{Action, METRICS_TYPE, Operation, Question, Route};
use crate::served::Served;
use crate::server::access::Peer;
use crate::server::act::Order;
use crate::server::answer::{self, Answer, Declined};
use crate::server::query::Query;
use crate::server::stream::{Feed, Source};
use crate::server::{Asker, Grant, READ_TIMEOUT, Site};

/// Longest body of a request, bytes.
const BODY_MAX_BYTES: usize = 64 * 1024;
/// Keys told at once, when nobody says how many.
const KEYS_DEFAULT: u64 = 200;
/// Keys told at once at most.
const KEYS_MAX: u64 = 1000;
/// Version of the API, as in its paths.
const API_VERSION: u32 = 1;

impl<S: Served> Site<S> {
    /// Answers one request of a process at the Unix socket.
    pub(crate) async fn answer_peer(&self, peer: Peer, request: Request<Incoming>) -> Answer {
        if !self.access.allows(peer) {
            return answer::refused(Refusal::NotAllowed { who: peer.to_string() });
        }
        self.answer(&Asker { by: peer.to_string(), grant: Grant::Operate }, request).await
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, asker: &Asker, request: Request<Incoming>) -> Answer {
        let found = self.route(&request).and_then(|route| {
            let query = Query::parse(route, request.uri().query());
            query.map(|query| (route, query)).map_err(Declined::malformed)
        });
        let outcome = match found {
            Ok((route, query)) => match route.operation {
                Operation::Ask(question) => self.ask(question, &query, request.headers()).await,
                Operation::Act(_) if asker.grant == Grant::View => {
                    return answer::refused(Refusal::NotAllowed { who: asker.by.clone() });
                }
                Operation::Act(action) => self.act(action, &query, &asker.by, request.into_body()).await,
            },
            Err(declined) => Err(declined),
        };
        outcome.unwrap_or_else(Declined::into_answer)
    }

    fn route<B>(&self, request: &Request<B>) -> Result<&Route, Declined> {
        let path = request.uri().path();
        let mut here = self.routes.iter().filter(|route| route.path == path).peekable();
        if here.peek().is_none() {
            let reason = format!("there is no {path}; what there is begins with /v1");
            return Err(Declined::new(answer::misplaced(StatusCode::NOT_FOUND, reason)));
        }
        let methods: Vec<String> = here.clone().map(|route| route.method().to_string()).collect();
        here.find(|route| route.method() == *request.method()).ok_or_else(|| {
            let methods = methods.join(", ");
            let reason = format!("{path} is for {methods}, not for {}", request.method());
            Declined::new(answer::method_not_allowed(reason, &methods))
        })
    }

    async fn ask(&self, question: Question, query: &Query, headers: &HeaderMap) -> Result<Answer, Declined> {
        let feed = match question {
            Question::About => {
                let (name, version) = ("remuda".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
                return Ok(answer::json(StatusCode::OK, &About { name, version, api: API_VERSION }));
            }
            Question::Status => return Ok(answer::json(StatusCode::OK, &self.served.view().await?)),
            Question::Metrics => {
                let view = self.served.view().await?;
                let hub = match &view.hub {
                    Some(hub) => hub::figures(hub).await,
                    None => None,
                };
                let gateways = match &view.gateways {
                    Some(folder) => gateway::figures(Path::new(folder)).await,
                    None => BTreeMap::new(),
                };
                let text = metrics(&view, self.served.events().newest(), hub.as_ref(), &gateways);
                return Ok(answer::text(METRICS_TYPE, text));
            }
            Question::Config => {
                let toml = without_secrets(self.served.config().await?.as_ref());
                return Ok(answer::json(StatusCode::OK, &EffectiveConfig { toml }));
            }
            Question::Plan => {
                return Ok(match self.served.plan().await? {
                    Ok(plan) => answer::json(StatusCode::OK, &plan),
                    Err(refusal) => answer::refused(refusal),
                });
            }
            Question::Hub => {
                let path = hub::path(&self.served.view().await?)?;
                return Ok(answer::json(StatusCode::OK, &hub::metrics(&path).await?));
            }
            Question::CheckHerd => {
                let path = hub::path(&self.served.view().await?)?;
                return Ok(answer::json(StatusCode::OK, &hub::check(&path).await?));
            }
            Question::Locks => {
                let path = hub::path(&self.served.view().await?)?;
                return Ok(answer::json(StatusCode::OK, &hub::locks(&path).await?));
            }
            Question::Gateways => {
                let figures = match self.served.view().await?.gateways {
                    Some(folder) => gateway::figures(Path::new(&folder)).await,
                    None => BTreeMap::new(),
                };
                return Ok(answer::json(StatusCode::OK, &figures));
            }
            Question::Routes => {
                let routes = (self.routing.list)(self.served.config().await?.as_ref());
                return Ok(answer::json(StatusCode::OK, &routes));
            }
            Question::TestRoute => return self.test_route(query).await,
            Question::Keys => return self.keys(query).await,
            Question::Key => {
                let (key, database) = query.key().map_err(Declined::malformed)?;
                let path = hub::path(&self.served.view().await?)?;
                return Ok(answer::json(StatusCode::OK, &hub::key(&path, database, key).await?));
            }
            Question::Bus => {
                let path = hub::path(&self.served.view().await?)?;
                let tail = hub::Tail::begin(&path, query.text("prefix").unwrap_or_default()).await?;
                Ok(Feed::new(Source::Bus(Box::new(tail)), true, self.stopping()))
            }
            Question::Events => self.events(query, headers),
            Question::Logs => self.lines(query, headers),
        };
        feed.map(answer::stream).map_err(Declined::malformed)
    }

    async fn test_route(&self, query: &Query) -> Result<Answer, Declined> {
        let question = query.route_question().map_err(Declined::malformed)?;
        let config = self.served.config().await?;
        let found = (self.routing.test)(&config, &question).map_err(Declined::malformed)?;
        Ok(answer::json(StatusCode::OK, &found))
    }

    async fn keys(&self, query: &Query) -> Result<Answer, Declined> {
        let database = query.database().map_err(Declined::malformed)?;
        let number = |name| query.number(name).map_err(Declined::malformed);
        let limit = number("limit")?.unwrap_or(KEYS_DEFAULT).clamp(1, KEYS_MAX);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let path = hub::path(&self.served.view().await?)?;
        let pattern = query.text("pattern").filter(|pattern| !pattern.is_empty()).unwrap_or("*");
        let list = hub::keys(&path, database, pattern, limit, number("cursor")?.unwrap_or(0)).await?;
        Ok(answer::json(StatusCode::OK, &list))
    }

    fn events(&self, query: &Query, headers: &HeaderMap) -> Result<Feed, String> {
        let follow = query.switch("follow")?;
        let after = last_event_id(headers)?.or(query.number("after")?);
        let from_oldest = after.is_none() && !follow;
        let log = self.served.events();
        let place = if from_oldest { 0 } else { after.unwrap_or_else(|| log.newest()) };
        let source = Source::Events {
            reader: log.read(Some(place)),
            from_oldest,
            place: (!from_oldest).then_some(place),
        };
        Ok(Feed::new(source, follow, self.stopping()))
    }

    fn lines(&self, query: &Query, headers: &HeaderMap) -> Result<Feed, String> {
        let follow = query.switch("follow")?;
        let reader = self.served.logs().read(query.log_query(last_event_id(headers)?)?);
        Ok(Feed::new(Source::Logs(Box::new(reader)), follow, self.stopping()))
    }

    async fn act(&self, action: Action, query: &Query, by: &str, body: Incoming) -> Result<Answer, Declined> {
        let wait = query.switch("wait").map_err(Declined::malformed)?;
        let body = read(body).await?;
        let order = Order::read(action, &body, &self.served).await?;
        let running = self.requests.run(order.run(self.served.clone(), by.to_owned()));
        let running = running.map_err(|busy| Declined::new(answer::unavailable(busy.to_string())))?;
        if !wait {
            return Ok(answer::json(StatusCode::ACCEPTED, &Accepted::Accepted));
        }
        // The task is aborted only when the server is cut short.
        let reply = running.await.map_err(|_aborted| Gone)??;
        Ok(answer::reply(&reply))
    }
}

/// The number in the header by which a client resumes a stream.
fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, String> {
    match headers.get("last-event-id").map(|value| value.to_str().unwrap_or("?")) {
        None | Some("") => Ok(None),
        Some(id) => id.parse().map(Some).map_err(|_error| format!("Last-Event-ID is a number, not {id:?}")),
    }
}

/// The config with the value of every variable masked: which of them are secrets, nobody can know.
fn without_secrets(config: &Config) -> String {
    let services = config.services.values();
    let masked = services.flat_map(|service| {
        service.environment.variables.keys().map(|variable| (service.name.clone(), variable.clone()))
    });
    remuda_config::effective(config, &masked.collect())
}

async fn read(body: Incoming) -> Result<Bytes, Declined> {
    let collected = tokio::time::timeout(READ_TIMEOUT, Limited::new(body, BODY_MAX_BYTES).collect()).await;
    match collected {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Declined::malformed(format!("the body is longer than {BODY_MAX_BYTES} bytes")))
        }
        Ok(Err(error)) => Err(Declined::malformed(format!("the body cannot be read: {error}"))),
        Err(_elapsed) => {
            let seconds = READ_TIMEOUT.as_secs();
            Err(Declined::malformed(format!("the body did not come within {seconds} s")))
        }
    }
}

//! The API's document, OpenAPI 3.1, written from the table of routes.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::route::{
    Operation, ParameterKind, Produces, Question, Route, answer_schema, reply_schema, routes,
};

/// The whole document.
#[must_use]
pub fn openapi() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for route in routes() {
        let operation = operation(&route, &mut generator);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Value::Object(path) = path {
            path.insert(route.method().as_str().to_ascii_lowercase(), operation);
        }
    }
    let schemas = generator.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Remuda control API",
            "version": "1",
            "description": "Spoken over the Unix socket control.sock in the instance's runtime folder. Only root, the \
                            arbiter's own user and users it was told to allow are answered. At most 256 connections \
                            are served at once; a request's body has at most 64 KiB.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "http://localhost", "description": "the Unix socket; the host name means nothing"}],
        "paths": paths,
        "components": {"schemas": schemas},
    })
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "responses": responses(route, generator),
    });
    if let Value::Object(operation) = &mut operation {
        let parameters = parameters(route);
        if !parameters.is_empty() {
            operation.insert("parameters".into(), parameters.into());
        }
        if let Some(takes) = route.takes {
            let body = json!({"required": true, "content": content("application/json", &takes(generator))});
            operation.insert("requestBody".into(), body);
        }
    }
    operation
}

fn operation_id(route: &Route) -> String {
    match route.operation {
        Operation::Ask(question) => format!("{question:?}"),
        Operation::Act(action) => format!("{action:?}"),
    }
}

fn parameters(route: &Route) -> Vec<Value> {
    let query = route.parameters.iter().map(|parameter| {
        let schema = match parameter.kind {
            ParameterKind::Integer => json!({"type": "integer", "minimum": 0}),
            ParameterKind::Boolean => json!({"type": "boolean", "default": true}),
            ParameterKind::Services | ParameterKind::Texts => {
                json!({"type": "array", "items": {"type": "string"}})
            }
            ParameterKind::Text => json!({"type": "string"}),
            ParameterKind::Stream => json!({"enum": ["stdout", "stderr"]}),
        };
        json!({"name": parameter.name, "in": "query", "description": parameter.summary, "schema": schema})
    });
    let resume = (matches!(route.produces, Produces::Stream(_))
        && route.operation != Operation::Ask(Question::Bus))
    .then(|| {
        json!({
            "name": "Last-Event-ID", "in": "header", "schema": {"type": "integer", "minimum": 0},
            "description": "Resumes a broken stream after this number.",
        })
    });
    query.chain(resume).collect()
}

fn content(media_type: &str, schema: &Schema) -> Value {
    json!({ media_type: {"schema": schema} })
}

fn responses(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let reply = reply_schema(generator);
    let refusal = |description: &str| json!({"description": description, "content": content("application/json", &reply)});
    let mut responses = Map::new();
    let mut answer = |code: &str, response: Value| responses.insert(code.to_owned(), response);
    match route.produces {
        Produces::Document(schema) => {
            let document = content("application/json", &schema(generator));
            answer("200", json!({"description": "as asked", "content": document}));
        }
        Produces::Text(media_type) => {
            let text = json!({ media_type: {"schema": {"type": "string"}} });
            answer("200", json!({"description": "as asked", "content": text}));
        }
        Produces::Stream(events) => {
            let events =
                events.iter().map(|(event, schema)| json!({"event": event, "data": schema(generator)}));
            let events: Vec<Value> = events.collect();
            let stream = json!({"text/event-stream": {"schema": {"type": "string"}, "x-events": events}});
            let description = "server-sent events; id is the number to resume after, data a JSON document";
            answer("200", json!({"description": description, "content": stream}));
        }
        Produces::Reply => {
            answer("200", refusal("done"));
            let accepted = content("application/json", &answer_schema(generator));
            answer("202", json!({"description": "taken (wait=false)", "content": accepted}));
            answer("404", refusal("no such service or slot"));
            answer("409", refusal("tried and failed, or not possible in the present state"));
        }
    }
    answer("400", refusal("the request cannot be understood, or the config is bad"));
    answer("403", refusal("the asker may not control this instance"));
    answer("503", refusal("the arbiter has ended, or too many requests are under way"));
    Value::Object(responses)
}

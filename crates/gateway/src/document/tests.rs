//! What documents say of routes.

use remuda_model::gateway::{
    Action, AuthScheme, AuthSpec, FilesSpec, GatewaySpec, Page, ParameterKind, ParameterPlace, ParameterSpec,
    RequestSpec, RouteSpec, SchemaSpec,
};

use super::{openapi, page};
use crate::routes::tests::route;

fn spec() -> GatewaySpec {
    let mut shorten = route("POST /shorten/{kind:alpha}", &[]);
    shorten.name = "shorten".into();
    shorten.summary = Some("Shorten <a> URL".into());
    shorten.tags = vec!["urls".into()];
    shorten.responses = vec![(200, "The short URL".into())];
    shorten.auth = Some(AuthSpec { scheme: AuthScheme::Basic, file: "/x".into(), realm: "x".into() });
    shorten.parameters = vec![ParameterSpec {
        name: "ttl".into(),
        place: ParameterPlace::Query,
        kind: ParameterKind::Int { min: Some(60), max: None },
        required: false,
        default: Some("3600".into()),
        description: None,
    }];
    let text = r##"{"$defs": {"u": {"type": "string"}}, "properties": {"url": {"$ref": "#/$defs/u"}}}"##;
    let schema = SchemaSpec { path: "/s".into(), text: text.into() };
    shorten.request = RequestSpec { schema: Some(schema), required: true, ..RequestSpec::default() };
    let routes = vec![
        shorten,
        route("GET /u/{id:int}", &[]),
        route("GET /u/{name}", &["example.org"]),
        route("GET|DELETE /f/*", &[]),
        {
            let mut hidden = route("/hidden", &[]);
            hidden.documented = false;
            hidden
        },
    ];
    GatewaySpec { title: "Shop & Co".into(), routes, ..GatewaySpec::default() }
}

#[test]
fn an_openapi_document_says_what_the_routes_say() {
    let document = openapi(&spec());
    let shorten = &document["paths"]["/shorten/{kind}"]["post"];
    assert_eq!(shorten["operationId"], "shorten");
    assert_eq!(shorten["parameters"][1]["schema"]["default"], 3600);
    assert_eq!(
        shorten["requestBody"]["content"]["application/json"]["schema"]["$ref"],
        "#/components/schemas/shorten"
    );
    let schema = &document["components"]["schemas"]["shorten"];
    assert_eq!(schema["properties"]["url"]["$ref"], "#/components/schemas/shorten/$defs/u");
    assert_eq!(shorten["security"][0]["basic"], serde_json::json!([]));
    let statuses: Vec<_> = shorten["responses"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(statuses, ["200", "400", "401", "422"]);
    let user = &document["paths"]["/u/{id}"]["get"];
    assert!(
        user["description"].as_str().unwrap().contains("Also: GET /u/{name}. Where: host example.org."),
        "{user}"
    );
    assert_eq!(document["paths"]["/f/{rest}"].as_object().unwrap().len(), 2);
    assert!(document["paths"]["/hidden"].is_null());
}

#[test]
fn a_page_is_complete_in_itself_and_escapes_what_it_shows() {
    let page = page(&spec());
    assert!(page.contains("Shop &amp; Co") && page.contains("Shorten &lt;a&gt; URL"));
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("hidden</"));
    assert!(page.contains("data-path=\"/shorten/{kind}\""));
    let schema = page.split("JSON Schema)</summary><pre>").nth(1).unwrap().split("</pre>").next().unwrap();
    assert!(schema.contains("&quot;url&quot;: {") && schema.contains("&quot;string&quot;"), "{schema}");
    assert_eq!(page.matches("(JSON Schema)").count(), 1, "only the route that has one shows it");
}

#[test]
fn routes_that_differ_by_a_condition_are_one_operation_with_the_bodies_and_answers_of_both() {
    let mut text = route("POST /shorten", &[]);
    text.name = "text".into();
    text.request = RequestSpec { types: vec!["text/plain".into()], required: true, ..RequestSpec::default() };
    text.responses = vec![(201, "The short URL".into())];
    let mut json = route("POST /shorten", &["example.org"]);
    json.name = "json".into();
    let schema = SchemaSpec { path: "/s".into(), text: r#"{"type": "object"}"#.into() };
    json.request = RequestSpec {
        types: vec!["application/json".into(), "text/plain".into()],
        schema: Some(schema),
        ..RequestSpec::default()
    };
    json.responses = vec![(201, "The link".into()), (409, "It is taken".into())];
    let document = openapi(&GatewaySpec { routes: vec![text, json], ..GatewaySpec::default() });
    let post = &document["paths"]["/shorten"]["post"];
    let body = &post["requestBody"];
    assert_eq!(body["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/json", "{post}");
    assert_eq!(body["content"]["text/plain"], serde_json::json!({}));
    assert_eq!(body["required"], false, "one of them does without");
    assert_eq!(post["responses"]["201"]["description"], "The short URL");
    assert_eq!(post["responses"]["409"]["description"], "It is taken");
    assert!(post["responses"]["422"].is_object(), "{post}");
}

#[test]
fn a_route_of_any_method_has_the_operations_its_action_takes() {
    let with = |pattern: &str, action: Action| RouteSpec { action, ..route(pattern, &[]) };
    let respond = route("/any", &[]);
    let mut body = route("/body", &[]);
    body.request = RequestSpec { required: true, ..RequestSpec::default() };
    let routes = vec![
        respond,
        body,
        with("/files/*", Action::Files(Box::new(FilesSpec::new("/x".into())))),
        with("/health", Action::Page(Page::Health)),
    ];
    let document = openapi(&GatewaySpec { routes, ..GatewaySpec::default() });
    let of = |path: &str| {
        let operations = document["paths"][path].as_object().unwrap().keys();
        operations.cloned().collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(of("/any"), ["delete", "get", "patch", "post", "put"]);
    assert_eq!(of("/body"), ["patch", "post", "put"]);
    assert_eq!((of("/files/{rest}"), of("/health")), (vec!["get".to_owned()], vec!["get".to_owned()]));
}

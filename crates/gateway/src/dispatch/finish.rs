//! What becomes of an answer before it is sent.

use remuda_model::gateway::HeaderRules;
use remuda_wire::http::Fields;

use super::plan::Plan;
use super::{Dispatch, Way};
use crate::routes::{CorsAnswer, Place, render, star_matches};
use crate::server::{Request, Response};

impl Dispatch {
    /// Adds what the route and the gateway say.
    pub(super) fn finish(
        &self,
        request: &Request,
        way: &Way,
        plan: &Plan,
        mut response: Response,
    ) -> Response {
        let spec = &self.table.routes()[way.route];
        if response.head.status < 400 {
            let path = request.head.path();
            if let Some(rule) = spec.cache.iter().find(|rule| star_matches(rule.paths.as_bytes(), path)) {
                response.head.fields.set("Cache-Control", &rule.value);
            }
        }
        if let Some(cors) = &plan.cors {
            // What an application says of origins beside what the route says would be two answers.
            response.head.fields.retain(|name, _| !starts_with(name, b"access-control-"));
            if let CorsAnswer::Allowed(headers) = cors.answer(request.head.fields()) {
                headers.iter().for_each(|(name, value)| response.head.fields.set(name, value));
            }
            if cors.varies() {
                response.head.fields.append("Vary", "Origin");
            }
        }
        if !spec.response_headers.is_empty() {
            self.apply(&spec.response_headers, request, way, &mut response.head.fields);
        }
        let response = self.sign(response);
        match &plan.compressor {
            Some(compressor) => compressor.apply(&request.head, response, self.server.figures()),
            None => response,
        }
    }

    /// Headers of all answers.
    pub(super) fn sign(&self, mut response: Response) -> Response {
        let spec = &self.settings.spec;
        if !spec.server.is_empty() && !response.head.fields.contains("server") {
            response.head.fields.append("Server", &spec.server);
        }
        response
    }

    /// Changes headers as rules say.
    pub(super) fn apply(&self, rules: &HeaderRules, request: &Request, way: &Way, fields: &mut Fields) {
        let filled: Vec<(bool, &str, Vec<u8>)> = self.with_values(request, way, |values| {
            let set = rules
                .set
                .iter()
                .map(|(name, value)| (true, name.as_str(), render(value, values, Place::Header)));
            let add = rules
                .add
                .iter()
                .map(|(name, value)| (false, name.as_str(), render(value, values, Place::Header)));
            set.chain(add).collect()
        });
        for name in &rules.remove {
            fields.remove(name.as_str());
        }
        for (is_only, name, value) in filled {
            if is_only {
                fields.set(name, value.trim_ascii());
            } else {
                fields.append(name, value.trim_ascii());
            }
        }
    }
}

fn starts_with(name: &[u8], prefix: &[u8]) -> bool {
    name.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
}

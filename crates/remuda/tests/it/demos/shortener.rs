//! `examples/shortener`: links are made, checked, followed and counted, and visits appear on a map in a browser.

use super::{look, one, program, three, url};

#[test]
fn links_of_one_server_are_followed_and_visits_are_marks_on_its_map() {
    let instance = one("shortener");
    look(program(&instance, "shortener.mjs", &[&url(&instance)]), |wish| panic!("nobody asks for {wish}"));
    instance.end();
}

#[test]
fn a_link_made_on_one_server_leads_on_another_and_a_visit_of_a_third_is_a_mark_on_the_first() {
    let servers = three("shortener");
    let urls: Vec<String> = servers.all.iter().map(url).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    look(program(&servers.all[0], "shortener.mjs", &urls), |wish| panic!("nobody asks for {wish}"));
    servers.end();
}

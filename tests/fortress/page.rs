//! A web page in the developer's browser, beside a running `tntc dev`.

use crate::dev::Running;
use crate::support::Workflow;

#[test]
fn a_web_page_starts_no_run() {
    let workflow = Workflow::of_one_node("driven", "ctx.log.info(\"started\"); return 1;");
    let mut dev = Running::start(&workflow);
    let own = format!("host: localhost:{}\r\n", dev.port());
    let from_page = format!("{own}origin: http://evil.example.com\r\ncontent-type: text/plain\r\n");
    assert_eq!(dev.status(&from_page), 403);
    assert_eq!(
        dev.status("host: evil.example.com\r\n"),
        403,
        "a name that leads here"
    );
    assert_eq!(
        dev.status(&format!("{own}origin: null\r\n")),
        403,
        "a sandboxed frame"
    );
    assert_eq!(
        dev.status(&format!("{own}content-type: application/json\r\n")),
        200
    );
    for simple in ["text/plain", "application/x-www-form-urlencoded"] {
        let header = format!("{own}content-type: {simple}\r\n");
        assert_eq!(
            dev.status(&header),
            415,
            "without an origin, {simple} is what a page could have sent"
        );
    }
    assert_eq!(dev.status(&own), 415, "no type at all");
    assert!(dev.until("started").starts_with("[only]"));
    assert_eq!(dev.end(), Some(130));
}

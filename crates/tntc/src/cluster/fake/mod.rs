//! A fake API server as a value: what tests of the code that talks to Kubernetes talk to.
//!
//! It keeps objects and answers get, list, watch, create, server-side apply, merge patch and delete as the real one
//! does, as far as this program can notice, and fails where a test says so. What it does not know is admission,
//! controllers, and the merging of lists by their keys: the tests on a real cluster are for these.

mod answer;
mod request;
mod store;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use futures::stream::unfold;
use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame};
use hyper::{Request, Response};
use kube::client::{Body, DynBody};
use kube::config::Config;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::util::BoxCloneService;
use tower::{BoxError, service_fn};

use super::Cluster;
use super::client::credentials::Credentials;
use super::client::limits::Kind;
use super::client::trouble::Place;
use crate::outcome::followup::Followup;
pub use answer::Answer;
pub use request::Sent;
use store::Store;

/// The server; a copy is another handle of the same one.
#[derive(Clone)]
pub struct FakeServer {
    state: Arc<Mutex<State>>,
    version: watch::Sender<u64>,
    place: Arc<Place>,
}

#[derive(Default)]
struct State {
    store: Store,
    scripts: Vec<Script>,
    sent: Vec<Sent>,
}

/// Answers to requests whose short form begins like this, before the store is asked.
struct Script {
    request: String,
    answers: VecDeque<Answer>,
    /// Whether the last answer is given for ever.
    lasts: bool,
}

impl FakeServer {
    /// A server with nothing in it.
    pub fn new() -> Self {
        let place = Place {
            server: "https://api.example:6443".to_owned(),
            context: Some("team".to_owned()),
            user: "ada".to_owned(),
            proxy: None,
        };
        Self {
            state: Arc::default(),
            version: watch::Sender::new(0),
            place: Arc::new(place),
        }
    }

    /// A server with these objects in it.
    pub fn with(objects: impl IntoIterator<Item = Value>) -> Self {
        let server = Self::new();
        objects.into_iter().for_each(|object| server.put(object));
        server
    }

    /// The way to it that commands are given, with every layer of the real client above it.
    pub fn cluster(&self) -> Cluster {
        let server = self.clone();
        let wire = BoxCloneService::new(service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { server.serve(request).await }
        }));
        let url = self.place.server.parse().expect("a URL");
        let credentials = Credentials {
            owner: "user `ada` of context `team`".to_owned(),
            token: None,
            certificate: None,
            by_plugin: false,
        };
        let place = Arc::clone(&self.place);
        Cluster::over(
            wire,
            Config::new(url),
            credentials,
            place,
            Followup::default(),
        )
        .expect("a client")
    }

    /// Puts an object there as somebody else would, or replaces it.
    pub fn put(&self, object: impl Serialize) {
        self.state().store.put(json!(object));
        self.notify();
    }

    /// Takes an object away, such as `pods/one`, as if it had been deleted and was gone.
    pub fn remove(&self, object: &str) {
        self.state().store.remove(object);
        self.notify();
    }

    /// What a container has logged; `previous` is the one before its last restart.
    pub fn log(&self, pod: &str, previous: bool, text: &str) {
        let mut state = self.state();
        let key = (pod.to_owned(), previous);
        state.store.logs.insert(key, text.to_owned());
    }

    /// The status that a review of this kind is answered with.
    pub fn review(&self, plural: &str, status: Value) {
        self.state().store.reviews.insert(plural.to_owned(), status);
    }

    /// The largest page of a list that names a limit.
    pub fn page_size(&self, items: usize) {
        self.state().store.page_size = Some(items);
    }

    /// Every request that begins like this, in its short form, is answered so.
    pub fn on(&self, request: &str, answer: Answer) {
        self.script(request, [answer], true);
    }

    /// The next requests that begin like this are answered so, later ones by the store again.
    pub fn next(&self, request: &str, answers: impl IntoIterator<Item = Answer>) {
        self.script(request, answers, false);
    }

    fn script(&self, request: &str, answers: impl IntoIterator<Item = Answer>, lasts: bool) {
        self.state().scripts.push(Script {
            request: request.to_owned(),
            answers: answers.into_iter().collect(),
            lasts,
        });
    }

    /// The object as it is now, such as `deployments/w`.
    pub fn get(&self, object: &str) -> Option<Value> {
        self.state().store.get(object).cloned()
    }

    /// What was asked, in order.
    pub fn sent(&self) -> Vec<Sent> {
        self.state().sent.clone()
    }

    /// What was asked that begins like this, in its short form.
    pub fn asked(&self, request: &str) -> Vec<String> {
        let sent = self.sent().into_iter().map(|sent| sent.to_string());
        sent.filter(|sent| sent.starts_with(request)).collect()
    }

    /// What was asked that changes something, or would without a dry run.
    pub fn writes(&self) -> Vec<String> {
        let sent = self.sent();
        let writes = sent.iter().filter(|sent| !sent.only_reads());
        writes.map(ToString::to_string).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notify(&self) {
        let version = self.state().store.version;
        self.version.send_replace(version);
    }

    async fn serve(&self, request: Request<Body>) -> Result<Response<Box<DynBody>>, BoxError> {
        let kind = Kind::of(&request);
        let sent = Sent::read(request).await?;
        let scripted = {
            let mut state = self.state();
            state.sent.push(sent.clone());
            state.scripted(&sent)
        };
        let answer = match scripted {
            Some(answer) => answer,
            None if sent.verb == "watch" => return Ok(self.watch(&sent)),
            None => self.state().store.answer(&sent),
        };
        self.notify();
        let mut response = answer.into_response(&self.place)?;
        response.extensions_mut().insert(kind);
        Ok(response)
    }

    /// Objects as they change, for as long as somebody reads.
    fn watch(&self, sent: &Sent) -> Response<Box<DynBody>> {
        let since = sent.query("resourceVersion").unwrap_or_default();
        let since: u64 = since.parse().unwrap_or_default();
        let start = (self.clone(), self.version.subscribe(), since, sent.clone());
        let frames = unfold(start, |(server, mut version, since, sent)| async move {
            loop {
                let (text, last) = server.state().store.changes(&sent, since);
                if !text.is_empty() {
                    let frame = Ok::<_, BoxError>(Frame::data(Bytes::from(text)));
                    return Some((frame, (server, version, last, sent)));
                }
                version.changed().await.ok()?;
            }
        });
        let body = Box::new(StreamBody::new(frames.boxed())) as Box<DynBody>;
        let mut response = answer::json(200, body);
        response.extensions_mut().insert(Kind::Watch);
        response
    }
}

impl State {
    fn scripted(&mut self, sent: &Sent) -> Option<Answer> {
        let text = sent.to_string();
        let mut scripts = self.scripts.iter_mut();
        let script = scripts
            .find(|script| text.starts_with(&script.request) && !script.answers.is_empty())?;
        if script.lasts {
            return script.answers.front().cloned();
        }
        script.answers.pop_front()
    }
}

//! How long an API server may be silent, and how much it may say.

use std::time::Duration;

use futures::stream::try_unfold;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::UPGRADE;
use hyper::{Request, Response};
use kube::client::DynBody;
use tokio::time::timeout;
use tower::BoxError;

use super::trouble::Silent;

/// How long a server that has not answered yet may take for a connection, TLS included, and for its first answer.
pub const FIRST: Duration = Duration::from_secs(15);
/// How long one that has answered before may take: the API server ends a request itself after 60 s.
pub const LATER: Duration = Duration::from_secs(65);
/// How long it may pause within an answer.
const PAUSE: Duration = Duration::from_secs(15);
/// Bytes of an answer: a list of 10,000 pods is some 50 MB.
pub const ANSWER: usize = 256 * 1024 * 1024;
/// Bytes of an event of a watch; etcd's objects have 1.5 MiB.
const EVENT: usize = 16 * 1024 * 1024;
/// Bytes of a line of a log that are kept.
const LOG_LINE: usize = 256 * 1024;

/// What a request's answer is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It comes as a whole.
    Whole,
    /// Objects, one a line, as they change.
    Watch,
    /// Lines of a log, unless the request itself sets a limit; with `follow`, they come when the container writes them.
    Log {
        /// Whether it goes on.
        follow: bool,
    },
    /// Whatever a workflow answers, when it is done, or a connection that others use.
    Passed,
}

impl Kind {
    /// By the path, the query and the headers of a request.
    pub fn of<B>(request: &Request<B>) -> Self {
        let (path, query) = (
            request.uri().path(),
            request.uri().query().unwrap_or_default(),
        );
        let has = |name: &str| {
            query
                .split('&')
                .any(|pair| pair == format!("{name}=true") || pair == format!("{name}=1"))
        };
        if request.headers().contains_key(UPGRADE) || path.contains("/proxy/") {
            Self::Passed
        } else if path.ends_with("/log") && !query.contains("limitBytes=") {
            Self::Log {
                follow: has("follow"),
            }
        } else if has("watch") {
            Self::Watch
        } else {
            Self::Whole
        }
    }

    /// How long its answer may be waited for.
    pub fn patience(self, has_answered: bool) -> Option<Duration> {
        match self {
            Self::Passed | Self::Log { follow: true } => None,
            _ if has_answered => Some(LATER),
            _ => Some(FIRST),
        }
    }

    fn pause(self) -> Option<Duration> {
        matches!(self, Self::Whole).then_some(PAUSE)
    }
}

/// The answer with its body within bounds.
pub fn bounded(answer: Response<Incoming>, kind: Kind) -> Response<Box<DynBody>> {
    answer.map(|body| {
        let meter = Meter { kind, seen: 0 };
        let frames = try_unfold((body, meter), |(mut body, mut meter)| async move {
            let Some(frame) = next(&mut body, meter.kind.pause()).await? else {
                return Ok::<_, BoxError>(None);
            };
            let frame = match frame.into_data() {
                Ok(data) => Frame::data(meter.pass(data)?),
                Err(trailers) => trailers,
            };
            Ok(Some((frame, (body, meter))))
        });
        Box::new(StreamBody::new(Box::pin(frames))) as Box<DynBody>
    })
}

async fn next(
    body: &mut Incoming,
    pause: Option<Duration>,
) -> Result<Option<Frame<Bytes>>, BoxError> {
    let frame = match pause {
        Some(pause) => timeout(pause, body.frame())
            .await
            .map_err(|_| Silent(pause.as_secs()))?,
        None => body.frame().await,
    };
    Ok(frame.transpose()?)
}

/// Counts what has come: all of it, or since the last line ended.
struct Meter {
    kind: Kind,
    seen: usize,
}

impl Meter {
    fn pass(&mut self, data: Bytes) -> Result<Bytes, BoxError> {
        match self.kind {
            Kind::Passed => Ok(data),
            Kind::Log { .. } => Ok(self.cut(&data)),
            Kind::Whole => {
                self.seen = self.seen.saturating_add(data.len());
                self.within(ANSWER, "its answer")?;
                Ok(data)
            }
            Kind::Watch => {
                match data.iter().rposition(|byte| *byte == b'\n') {
                    Some(end) => self.seen = data.len() - end,
                    None => self.seen = self.seen.saturating_add(data.len()),
                }
                self.within(EVENT, "an event of its watch")?;
                Ok(data)
            }
        }
    }

    fn within(&self, most: usize, what: &str) -> Result<(), BoxError> {
        if self.seen <= most {
            return Ok(());
        }
        let most = most / 1024 / 1024;
        Err(format!("the API server sent too much: {what} is larger than {most} MiB").into())
    }

    /// Leaves out what a line has too much, so that a container that never ends one cannot fill the memory.
    fn cut(&mut self, data: &Bytes) -> Bytes {
        let mut kept = Vec::with_capacity(data.len());
        for piece in data.split_inclusive(|byte| *byte == b'\n') {
            let ends = piece.ends_with(b"\n");
            let room = LOG_LINE.saturating_sub(self.seen);
            kept.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.len() > room && self.seen < LOG_LINE {
                kept.extend_from_slice("… (the line is longer)".as_bytes());
            }
            if piece.len() > room && ends {
                kept.push(b'\n');
            }
            self.seen = if ends {
                0
            } else {
                self.seen.saturating_add(piece.len())
            };
        }
        kept.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(uri: &str) -> Kind {
        Kind::of(&Request::get(uri).body(()).expect("a request"))
    }

    #[test]
    fn what_may_take_long_is_known_by_its_address() {
        assert_eq!(kind("/api/v1/namespaces/a/pods"), Kind::Whole);
        assert_eq!(
            kind("/api/v1/namespaces/a/pods?limit=1&watch=true"),
            Kind::Watch
        );
        assert_eq!(
            kind("/api/v1/namespaces/a/pods/b/log?follow=true"),
            Kind::Log { follow: true }
        );
        assert_eq!(
            kind("/api/v1/namespaces/a/pods/b/log?tailLines=1"),
            Kind::Log { follow: false }
        );
        assert_eq!(
            kind("/api/v1/namespaces/a/services/b:8080/proxy/run"),
            Kind::Passed
        );
        assert_eq!(
            kind("/api/v1/namespaces/a/pods/b/log?container=c&limitBytes=9"),
            Kind::Whole,
            "its lines are not for people, and none may be cut"
        );
        let upgrade =
            Request::get("/api/v1/namespaces/a/pods/b/attach").header(UPGRADE, "websocket");
        assert_eq!(
            Kind::of(&upgrade.body(()).expect("a request")),
            Kind::Passed
        );
    }

    #[test]
    fn a_stream_is_never_given_up() {
        assert_eq!(Kind::Passed.patience(false), None);
        assert_eq!(Kind::Log { follow: true }.patience(true), None);
        assert_eq!(Kind::Whole.patience(false), Some(FIRST));
        assert_eq!(Kind::Watch.pause(), None);
    }

    #[test]
    fn a_line_of_a_log_is_cut_and_the_next_one_is_whole() {
        let mut meter = Meter {
            kind: Kind::Log { follow: true },
            seen: 0,
        };
        let mut passed = |data: Vec<u8>| meter.pass(data.into()).expect("never refused");
        assert_eq!(passed(b"a\nb".to_vec()).as_ref(), b"a\nb");
        let cut = passed(vec![b'x'; LOG_LINE + 5]);
        assert!(cut.ends_with("longer)".as_bytes()) && cut.len() < LOG_LINE + 40);
        assert_eq!(passed(vec![b'x'; 1000]).as_ref(), b"");
        assert_eq!(passed(b"x\nnext\n".to_vec()).as_ref(), b"\nnext\n");
    }

    #[test]
    fn too_much_is_refused() {
        let mut whole = Meter {
            kind: Kind::Whole,
            seen: ANSWER - 1,
        };
        assert!(whole.pass(Bytes::from_static(b"a")).is_ok());
        assert!(whole.pass(Bytes::from_static(b"b")).is_err());
        let mut watch = Meter {
            kind: Kind::Watch,
            seen: EVENT - 1,
        };
        assert!(watch.pass(Bytes::from_static(b"a\nb")).is_ok());
        watch.seen = EVENT;
        assert!(watch.pass(Bytes::from_static(b"ab")).is_err());
    }
}

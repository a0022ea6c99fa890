//! What is happening to a Deployment or a pod, kept up to date by watches.

use std::collections::BTreeMap;
use std::fmt::Debug;

use futures::StreamExt;
use futures::stream::{BoxStream, SelectAll};
use k8s_openapi::NamespaceResourceScope;
use kube::api::Api;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tntc_core::manifests::labels;
use tntc_core::observe::Observed;

type Update = Box<dyn FnOnce(&mut Observed) + Send>;

/// Watches that feed one [`Observed`].
pub struct Watch {
    updates: SelectAll<BoxStream<'static, Update>>,
    seen: Observed,
}

impl Watch {
    /// Everything that happens to a workflow's Deployment.
    pub fn rollout(client: &Client, namespace: &str, name: &str) -> Self {
        let by_label = || watcher::Config::default().labels(&format!("{}={name}", labels::NAME));
        let by_name = watcher::Config::default().fields(&format!("metadata.name={name}"));
        // Which pods there will be is not known yet, and events cannot be selected by label.
        let warnings = watcher::Config::default().fields("type=Warning,involvedObject.kind=Pod");
        let api = Namespaced { client, namespace };
        Self::of([
            follow(api.of(), by_name, |seen| &mut seen.deployments),
            follow(api.of(), by_label(), |seen| &mut seen.replica_sets),
            follow(api.of(), by_label(), |seen| &mut seen.pods),
            follow(api.of(), warnings, |seen| &mut seen.events),
        ])
    }

    /// The pods of a workflow as they come and go.
    pub fn pods(client: &Client, namespace: &str, workflow: &str) -> Self {
        let ours = watcher::Config::default().labels(&format!("{}={workflow}", labels::NAME));
        let api = Namespaced { client, namespace };
        Self::of([follow(api.of(), ours, |seen| &mut seen.pods)])
    }

    /// Everything that happens to one pod.
    pub fn pod(client: &Client, namespace: &str, name: &str) -> Self {
        let by_name = watcher::Config::default().fields(&format!("metadata.name={name}"));
        let about = watcher::Config::default().fields(&format!("involvedObject.name={name}"));
        let api = Namespaced { client, namespace };
        Self::of([
            follow(api.of(), by_name, |seen| &mut seen.pods),
            follow(api.of(), about, |seen| &mut seen.events),
        ])
    }

    fn of<const N: usize>(streams: [BoxStream<'static, Update>; N]) -> Self {
        Self {
            updates: streams.into_iter().collect(),
            seen: Observed::default(),
        }
    }

    /// Waits for the next change; the streams reconnect for ever, so this never ends by itself.
    pub async fn changed(&mut self) -> &Observed {
        match self.updates.next().await {
            Some(update) => update(&mut self.seen),
            None => std::future::pending().await,
        }
        &self.seen
    }

    /// What has been seen so far.
    pub fn seen(&self) -> &Observed {
        &self.seen
    }
}

struct Namespaced<'a> {
    client: &'a Client,
    namespace: &'a str,
}

impl Namespaced<'_> {
    fn of<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), self.namespace)
    }
}

/// A lost connection is retried by the watcher; whoever waits has a timeout of its own.
fn follow<K>(
    api: Api<K>,
    config: watcher::Config,
    place: fn(&mut Observed) -> &mut BTreeMap<String, K>,
) -> BoxStream<'static, Update>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let events = watcher(api, config)
        .default_backoff()
        .filter_map(|event| async move { event.ok() });
    events
        .map(move |event| -> Update { Box::new(move |seen| record(place(seen), event)) })
        .boxed()
}

fn record<K: Resource>(objects: &mut BTreeMap<String, K>, event: watcher::Event<K>) {
    match event {
        watcher::Event::Init => objects.clear(),
        watcher::Event::InitApply(object) | watcher::Event::Apply(object) => {
            drop(objects.insert(object.name_any(), object));
        }
        watcher::Event::Delete(object) => drop(objects.remove(&object.name_any())),
        watcher::Event::InitDone => {}
    }
}

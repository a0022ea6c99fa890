//! Commands that a person is told to run next. Each carries what leads to the cluster of this call, so that pasting one
//! never acts on another cluster.

use std::borrow::Cow;

use tntc_core::settings::{Origin, Setting, Settings};

/// The flags that lead to the cluster of this call again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Followup {
    tntc: String,
    kubectl: String,
}

impl Followup {
    /// Of a call with these settings.
    pub fn of(settings: &Settings) -> Self {
        let context = settings.context.as_ref();
        let kubeconfig = settings.kubeconfig.as_ref().map(|setting| Setting {
            value: setting.value.display().to_string(),
            origin: setting.origin.clone(),
        });
        let environment = settings.environment.as_deref();
        let typed = |setting: Option<&Setting<String>>| {
            setting
                .filter(|setting| setting.origin == Origin::Flag)
                .map(|setting| setting.value.clone())
        };
        let value =
            |setting: Option<&Setting<String>>| setting.map(|setting| setting.value.clone());
        Self {
            tntc: [
                flag("env", environment.map(str::to_owned)),
                flag("context", typed(context)),
                flag("kubeconfig", typed(kubeconfig.as_ref())),
            ]
            .concat(),
            kubectl: [
                flag("context", value(context)),
                flag("kubeconfig", value(kubeconfig.as_ref())),
            ]
            .concat(),
        }
    }

    /// `tntc <command>` as it is to be typed; what it names must be quoted already.
    pub fn tntc(&self, command: impl AsRef<str>) -> String {
        format!("tntc {}{}", command.as_ref(), self.tntc)
    }

    /// `kubectl <command>`, which knows nothing of environments.
    pub fn kubectl(&self, command: impl AsRef<str>) -> String {
        format!("kubectl {}{}", command.as_ref(), self.kubectl)
    }
}

fn flag(name: &str, value: Option<String>) -> String {
    value.map_or_else(String::new, |value| format!(" --{name} {}", quoted(&value)))
}

/// One word for a shell.
pub fn quoted(word: &str) -> Cow<'_, str> {
    // Only a NUL cannot be quoted, and no file name or flag has one.
    shlex::try_quote(word).unwrap_or(Cow::Borrowed(word))
}

#[cfg(test)]
mod tests {
    use tntc_core::settings::{ConfigFile, Flags, Inputs, resolve};

    use super::*;

    fn of(flags: Flags) -> Followup {
        let text = "environments: {prod: {context: far, kubeconfig: /k/prod}, plain: {image: i}}";
        let file = ConfigFile {
            path: "/home/ada/.tentacular/config.yaml".into(),
            config: serde_saphyr::from_str(text).expect("a config"),
        };
        let inputs = Inputs {
            flags,
            user: Some(&file),
            ..Inputs::default()
        };
        Followup::of(&resolve(&inputs).expect("settings"))
    }

    #[test]
    fn without_flags_a_command_has_none() {
        let followup = of(Flags::default());
        assert_eq!(followup.tntc("list -n a"), "tntc list -n a");
        assert_eq!(followup.kubectl("get pods"), "kubectl get pods");
    }

    #[test]
    fn flags_of_the_call_are_carried_and_quoted() {
        let followup = of(Flags {
            context: Some("far away".to_owned()),
            kubeconfig: Some("/k/it's".into()),
            ..Flags::default()
        });
        let flags = r#"--context 'far away' --kubeconfig "/k/it's""#;
        assert_eq!(followup.tntc("list"), format!("tntc list {flags}"));
        assert_eq!(followup.kubectl("get"), format!("kubectl get {flags}"));
    }

    #[test]
    fn an_environment_is_carried_by_name_and_told_kubectl_by_what_it_means() {
        let named = |name: &str| {
            of(Flags {
                environment: Some(name.to_owned()),
                ..Flags::default()
            })
        };
        let prod = named("prod");
        assert_eq!(prod.tntc("list"), "tntc list --env prod");
        assert_eq!(
            prod.kubectl("get"),
            "kubectl get --context far --kubeconfig /k/prod"
        );
        assert_eq!(named("plain").tntc("list"), "tntc list --env plain");
        assert_eq!(named("plain").kubectl("get"), "kubectl get");
    }
}

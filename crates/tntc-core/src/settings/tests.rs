use super::*;

fn config(yaml: &str) -> ConfigFile {
    ConfigFile {
        path: PathBuf::from("/repo/.tentacular/config.yaml"),
        config: serde_saphyr::from_str(yaml).expect("a config"),
    }
}

const DEV: &str = "
registry: reg.example.com
namespace: from-user
runtime_class: kata
environments:
  dev:
    context: kind-dev
    namespace: from-dev
    image: engine:dev
    runtime_class: ''
    kubeconfig: ../clusters/dev
";

fn in_dev(flags: Flags) -> Flags {
    Flags {
        environment: Some("dev".to_owned()),
        ..flags
    }
}

#[test]
fn a_config_file_may_use_what_workflow_files_use_of_yaml() {
    let yaml = "\u{feff}%YAML 1.2\n---\nenvironments:\n  dev: &dev {namespace: a, image: 'e:1'}\n  \
        prod:\n    <<: *dev\n    namespace: b\n";
    let config = config(yaml);
    let prod = &config.config.environments["prod"];
    assert_eq!(
        (prod.namespace.as_deref(), prod.image.clone()),
        (Some("b"), Some(NamedImage(Some(image("e:1")))))
    );
    let bomb = (1..9).fold("a0: &a0 [x, x]\n".to_owned(), |yaml, level| {
        let aliases = format!("*a{},", level - 1).repeat(9);
        format!("{yaml}a{level}: &a{level} [{aliases}]\n")
    });
    assert!(serde_saphyr::from_str::<serde_json::Value>(&bomb).is_err());
    assert!(serde_saphyr::from_str::<serde_json::Value>("a: &a [*a]").is_err());
    assert!(serde_saphyr::from_str::<serde_json::Value>("a: *none").is_err());
}

#[test]
fn without_anything_the_defaults_stand() {
    let settings = resolve(&Inputs::default()).expect("settings");
    assert_eq!(settings.namespace.value, "default");
    assert_eq!(settings.image.value.as_str(), "tentacular-engine:latest");
    assert_eq!(settings.runtime_class.value.as_deref(), Some("gvisor"));
    assert_eq!(settings.trigger_image.origin, Origin::Default);
    assert_eq!(settings.context, None);
}

#[test]
fn each_layer_overrides_the_ones_below_it() {
    let user = config(DEV);
    let project = config("namespace: from-project");
    let mut inputs = Inputs {
        user: Some(&user),
        ..Inputs::default()
    };
    let namespace = |inputs: &Inputs| resolve(inputs).expect("settings").namespace;
    assert_eq!(
        namespace(&inputs),
        Setting {
            value: "from-user".to_owned(),
            origin: Origin::User
        }
    );
    inputs.project = Some(&project);
    assert_eq!(
        namespace(&inputs),
        Setting {
            value: "from-project".to_owned(),
            origin: Origin::Project
        }
    );
    inputs.workflow_namespace = Some("from-workflow");
    assert_eq!(
        namespace(&inputs),
        Setting {
            value: "from-workflow".to_owned(),
            origin: Origin::Workflow
        }
    );
    inputs.flags = in_dev(Flags::default());
    assert_eq!(
        namespace(&inputs),
        Setting {
            value: "from-dev".to_owned(),
            origin: Origin::Environment("dev".to_owned())
        }
    );
    inputs.flags.namespace = Some("from-flag".to_owned());
    assert_eq!(
        namespace(&inputs),
        Setting {
            value: "from-flag".to_owned(),
            origin: Origin::Flag
        }
    );
}

#[test]
fn an_empty_runtime_class_means_none_and_ends_the_search() {
    let user = config(DEV);
    let inputs = Inputs {
        user: Some(&user),
        flags: in_dev(Flags::default()),
        ..Inputs::default()
    };
    let runtime_class = resolve(&inputs).expect("settings").runtime_class;
    assert_eq!(
        runtime_class,
        Setting {
            value: None,
            origin: Origin::Environment("dev".to_owned())
        }
    );
}

fn image(text: &str) -> ImageReference {
    text.parse().expect("a reference")
}

fn built(image: &ImageReference, is_own: bool) -> BuiltImage<'_> {
    BuiltImage {
        image,
        is_own,
        file: Path::new("base-image.txt"),
    }
}

fn chosen(inputs: &Inputs) -> Vec<(&'static str, String, PathBuf)> {
    let settings = resolve(inputs).expect("settings");
    let chosen = settings.chosen_images.into_iter();
    chosen
        .map(|it| (it.setting, it.image.to_string(), it.file))
        .collect()
}

#[test]
fn an_image_is_chosen_by_the_directory_where_the_user_would_have_another_one() {
    let (user, engine) = (config(DEV), image("reg.example.com/engine:v1"));
    let project = config(
        "trigger_image: curl:evil\nbase_image: deno:evil\nenvironments: {dev: {image: 'engine:evil'}}",
    );
    let mut inputs = Inputs {
        user: Some(&user),
        built_image: Some(built(&engine, true)),
        ..Inputs::default()
    };
    assert_eq!(chosen(&inputs), []);
    inputs.built_image = Some(built(&engine, false));
    let engine = "reg.example.com/engine:v1".to_owned();
    assert_eq!(
        chosen(&inputs),
        [("image", engine, PathBuf::from("base-image.txt"))]
    );
    inputs.project = Some(&project);
    inputs.flags = in_dev(Flags::default());
    let all = chosen(&inputs);
    let named: Vec<_> = all.iter().map(|(_, image, _)| image.as_str()).collect();
    assert_eq!(named, ["engine:evil", "curl:evil", "deno:evil"]);
    assert!(all.iter().all(|(_, _, file)| *file == project.path));
    inputs.flags.image = Some(image("mine"));
    inputs.flags.base = Some(image("mine"));
    let left: Vec<_> = chosen(&inputs).into_iter().map(|it| it.0).collect();
    assert_eq!(left, ["trigger_image"]);
}

#[test]
fn an_image_that_the_user_would_have_anyway_is_nobodys_choice() {
    let project = config(&format!(
        "trigger_image: {}\nenvironments: {{dev: {{image: {}}}}}",
        ImageReference::DEFAULT_TRIGGER,
        ImageReference::DEFAULT
    ));
    let inputs = Inputs {
        project: Some(&project),
        flags: in_dev(Flags::default()),
        ..Inputs::default()
    };
    assert_eq!(chosen(&inputs), []);
}

#[test]
fn an_empty_image_is_the_default_and_ends_the_search() {
    let (user, project) = (config(DEV), config("environments: {dev: {image: ''}}"));
    let inputs = Inputs {
        project: Some(&project),
        user: Some(&user),
        flags: in_dev(Flags::default()),
        ..Inputs::default()
    };
    let image = resolve(&inputs).expect("settings").image;
    assert_eq!(image.value, ImageReference::DEFAULT);
    assert_eq!(image.origin, Origin::Default);
}

#[test]
fn an_image_that_is_not_valid_is_told_with_its_line_and_what_to_write() {
    for (yaml, line) in [
        ("namespace: a\nbase_image: https://ghcr.io/x\n", "line 2"),
        ("trigger_image: 'https://ghcr.io/x'\n", "line 1"),
        (
            "environments:\n  dev:\n    image: https://ghcr.io/x\n",
            "line 3",
        ),
    ] {
        let refusal = serde_saphyr::from_str::<Config>(yaml).expect_err(yaml);
        let told = refusal.to_string();
        assert!(told.contains(line), "{told}");
        assert!(told.contains("leave out `https://`: ghcr.io/x"), "{told}");
    }
}

#[test]
fn on_kind_a_digest_that_the_directory_chose_stays() {
    let pinned = format!("evil:v1@sha256:{}", "ab".repeat(32));
    let engine = image(&pinned);
    for (is_own, expected) in [(true, "evil:v1"), (false, pinned.as_str())] {
        let inputs = Inputs {
            built_image: Some(built(&engine, is_own)),
            ..Inputs::default()
        };
        let settings = resolve(&inputs).expect("settings").on_kind(Some("tntc"));
        assert_eq!(settings.image.value.as_str(), expected);
    }
}

#[test]
fn the_last_build_counts_unless_the_environment_names_an_image() {
    let (user, engine) = (config(DEV), image("reg.example.com/engine:v1"));
    let mut inputs = Inputs {
        user: Some(&user),
        built_image: Some(built(&engine, true)),
        ..Inputs::default()
    };
    let image = |inputs: &Inputs| resolve(inputs).expect("settings").image.value.to_string();
    assert_eq!(image(&inputs), "reg.example.com/engine:v1");
    inputs.flags = in_dev(Flags::default());
    assert_eq!(image(&inputs), "engine:dev");
}

#[test]
fn a_kubeconfig_is_relative_to_the_file_that_names_it() {
    let user = config(DEV);
    let inputs = Inputs {
        user: Some(&user),
        flags: in_dev(Flags::default()),
        ..Inputs::default()
    };
    let kubeconfig = resolve(&inputs)
        .expect("settings")
        .kubeconfig
        .expect("a kubeconfig");
    assert_eq!(
        kubeconfig.value,
        PathBuf::from("/repo/.tentacular/../clusters/dev")
    );
}

#[test]
fn a_project_does_not_choose_the_kubeconfig() {
    let project = config(DEV);
    let named = |user: Option<&ConfigFile>, kubeconfig: Option<&str>| {
        let inputs = Inputs {
            project: Some(&project),
            user,
            flags: in_dev(Flags {
                kubeconfig: kubeconfig.map(PathBuf::from),
                ..Flags::default()
            }),
            ..Inputs::default()
        };
        let resolved = resolve(&inputs);
        resolved.map(|settings| settings.kubeconfig.map(|found| found.value))
    };
    let refused = named(None, None).expect_err("an error");
    assert_eq!(
        refused.to_string(),
        "/repo/.tentacular/config.yaml: `environments.dev.kubeconfig` is not taken from a project: a kubeconfig can name programs to run"
    );
    let hint = refused.hint().expect("a hint");
    assert!(
        hint.contains("~/.tentacular/config.yaml, below environments.dev"),
        "{hint}"
    );
    assert_eq!(named(None, Some("/mine")), Ok(Some(PathBuf::from("/mine"))));
    let user = config("environments: {dev: {kubeconfig: /own}}");
    assert_eq!(named(Some(&user), None), Ok(Some(PathBuf::from("/own"))));
    let empty = config("environments: {dev: {namespace: a}}");
    assert!(named(Some(&empty), None).is_err());
}

#[test]
fn a_tilde_is_the_home_directory() {
    let user = config("environments: {dev: {kubeconfig: ~/.kube/dev}}");
    let settings = resolve(&Inputs {
        user: Some(&user),
        home: Some(Path::new("/home/ada")),
        flags: Flags {
            environment: Some("dev".to_owned()),
            ..Flags::default()
        },
        ..Inputs::default()
    });
    let kubeconfig = settings.expect("settings").kubeconfig.expect("a file");
    assert_eq!(kubeconfig.value, PathBuf::from("/home/ada/.kube/dev"));
}

#[test]
fn an_unknown_environment_lists_those_defined() {
    let user = config(DEV);
    let flags = Flags {
        environment: Some("prod".to_owned()),
        ..Flags::default()
    };
    let unknown = resolve(&Inputs {
        user: Some(&user),
        flags,
        ..Inputs::default()
    })
    .expect_err("an error");
    assert_eq!(
        unknown.to_string(),
        "unknown environment `prod`; defined are: dev"
    );
}

#[test]
fn a_kind_cluster_is_known_by_its_context_and_a_loopback_server() {
    assert_eq!(
        kind_cluster("kind-dev", "https://127.0.0.1:6443"),
        Some("dev")
    );
    assert_eq!(
        kind_cluster("kind-dev", "https://localhost:6443/"),
        Some("dev")
    );
    assert_eq!(kind_cluster("kind-dev", "https://[::1]:6443"), Some("dev"));
    assert_eq!(kind_cluster("kind-dev", "https://10.0.0.1:6443"), None);
    assert_eq!(kind_cluster("dev", "https://127.0.0.1:6443"), None);
    assert_eq!(kind_cluster("kind-", "https://127.0.0.1:6443"), None);
}

#[test]
fn kind_takes_gvisor_away_unless_a_flag_asks_for_it() {
    let plain = resolve(&Inputs::default())
        .expect("settings")
        .on_kind(Some("dev"));
    assert_eq!(
        plain.runtime_class,
        Setting {
            value: None,
            origin: Origin::Kind("dev".to_owned())
        }
    );
    let flags = Flags {
        runtime_class: Some("gvisor".to_owned()),
        ..Flags::default()
    };
    let explicit = resolve(&Inputs {
        flags,
        ..Inputs::default()
    })
    .expect("settings")
    .on_kind(Some("dev"));
    assert_eq!(explicit.runtime_class.value.as_deref(), Some("gvisor"));
}

#[test]
fn overrides_of_the_project_win_over_those_of_the_user_key_by_key() {
    let user = config(
        "environments: {dev: {config_overrides: {timeout: 30s, http: {retries: 1, agent: a}}}}",
    );
    let project = config("environments: {dev: {config_overrides: {http: {retries: 2}}}}");
    let inputs = Inputs {
        user: Some(&user),
        project: Some(&project),
        flags: in_dev(Flags::default()),
        ..Inputs::default()
    };
    let overrides = resolve(&inputs).expect("settings").config_overrides;
    assert_eq!(
        serde_json::json!(overrides),
        serde_json::json!({"timeout": "30s", "http": {"retries": 2, "agent": "a"}})
    );
}

#[test]
fn an_unknown_key_is_told_with_the_nearest_known_one() {
    let file = config("namespac: a\nenvironments: {dev: {runtimeclass: gvisor}}");
    let told = unknown_keys(&file);
    assert_eq!(
        told,
        [
            "/repo/.tentacular/config.yaml: unknown key `namespac`; did you mean `namespace`?",
            "/repo/.tentacular/config.yaml: unknown key `environments.dev.runtimeclass`; did you mean `runtime_class`?",
        ]
    );
}

#[test]
fn enforcement_is_strict_unless_the_environment_says_otherwise() {
    assert_eq!(
        resolve(&Inputs::default())
            .expect("settings")
            .enforcement
            .value,
        Enforcement::Strict
    );
    let user = config("environments: {dev: {enforcement: audit}}");
    let inputs = Inputs {
        user: Some(&user),
        flags: in_dev(Flags::default()),
        ..Inputs::default()
    };
    assert_eq!(
        resolve(&inputs).expect("settings").enforcement.value,
        Enforcement::Audit
    );
}

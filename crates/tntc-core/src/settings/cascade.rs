//! The layers of the cascade, each asked in turn.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::config::{Config, ConfigFile, Enforcement, Environment};
use super::{
    ChosenImage, DEFAULT_NAMESPACE, DEFAULT_RUNTIME_CLASS, IMAGE, Inputs, NamedImage, Origin,
    Setting, Settings, Unresolvable,
};
use crate::values::ImageReference;
use crate::workflow::merge;

/// Resolves every setting.
///
/// # Errors
/// The environment asked for is defined in neither config file, or a project's chooses the kubeconfig.
pub fn resolve(inputs: &Inputs) -> Result<Settings, Unresolvable> {
    let cascade = Cascade::new(inputs)?;
    Ok(Settings {
        environment: cascade
            .environment
            .as_ref()
            .map(|environment| environment.name.to_owned()),
        namespace: cascade.namespace(),
        registry: cascade.registry(),
        base_image: cascade.base_image(),
        image: cascade.image(),
        runtime_class: cascade.runtime_class(),
        trigger_image: cascade.trigger_image(),
        context: cascade.context(),
        kubeconfig: cascade.kubeconfig()?,
        secrets_source: cascade.of_environment(|environment| environment.secrets_source.clone()),
        secrets_source_is_the_users: cascade.secrets_source_is_the_users(),
        metrics_namespace: cascade
            .of_environment(|environment| environment.metrics_namespace.clone()),
        otel_endpoint: cascade.of_environment(|environment| environment.otel_endpoint.clone()),
        enforcement: cascade.enforcement(),
        config_overrides: cascade.config_overrides(),
        chosen_images: cascade.chosen_images(),
    })
}

/// The layers, with the environment already looked up.
struct Cascade<'a> {
    inputs: &'a Inputs<'a>,
    environment: Option<ActiveEnvironment<'a>>,
}

/// The environment asked for, as the project and the user define it.
struct ActiveEnvironment<'a> {
    name: &'a str,
    definitions: Vec<(&'a ConfigFile, &'a Environment)>,
}

impl<'a> Cascade<'a> {
    fn new(inputs: &'a Inputs<'a>) -> Result<Self, Unresolvable> {
        let environment = match inputs
            .flags
            .environment
            .as_deref()
            .filter(|name| !name.is_empty())
        {
            Some(name) => Some(ActiveEnvironment::find(name, inputs)?),
            None => None,
        };
        Ok(Self {
            inputs,
            environment,
        })
    }

    fn namespace(&self) -> Setting<String> {
        let flags = &self.inputs.flags;
        flag(flags.namespace.clone())
            .or_else(|| self.of_environment(|environment| environment.namespace.clone()))
            .or_else(|| self.of_workflow())
            .or_else(|| self.of_config(|config| config.namespace.as_ref()))
            .filter_or_default(|name| !name.is_empty(), DEFAULT_NAMESPACE)
    }

    fn registry(&self) -> Option<Setting<String>> {
        flag(self.inputs.flags.registry.clone())
            .or_else(|| self.of_config(|config| config.registry.as_ref()))
            .filter(|registry| !registry.value.is_empty())
    }

    fn base_image(&self) -> Setting<ImageReference> {
        first(self.base_images(), ImageReference::DEFAULT_BASE).0
    }

    fn image(&self) -> Setting<ImageReference> {
        first(self.images(), ImageReference::DEFAULT).0
    }

    fn images(&self) -> Vec<Candidate<'a>> {
        let environment = self.environment.iter().flat_map(|it| {
            let origin = Origin::Environment(it.name.to_owned());
            it.definitions.iter().filter_map(move |(file, definition)| {
                let setting = Setting {
                    value: definition.image.clone()?,
                    origin: origin.clone(),
                };
                Some((setting, self.unless_the_users(file)))
            })
        });
        let built = self.inputs.built_image.map(|built| {
            let (origin, file) = if built.is_own {
                (Origin::Build, None)
            } else {
                (Origin::Directory, Some(built.file))
            };
            let value = NamedImage(Some(built.image.clone()));
            (Setting { value, origin }, file)
        });
        flagged(self.inputs.flags.image.as_ref())
            .chain(environment)
            .chain(built)
            .collect()
    }

    fn base_images(&self) -> Vec<Candidate<'a>> {
        flagged(self.inputs.flags.base.as_ref())
            .chain(self.of_configs(|config| config.base_image.as_ref()))
            .collect()
    }

    fn trigger_images(&self) -> Vec<Candidate<'a>> {
        self.of_configs(|config| config.trigger_image.as_ref())
            .collect()
    }

    /// The images that are others than without the files of the directory.
    fn chosen_images(&self) -> Vec<ChosenImage> {
        let settings = [
            (IMAGE, self.images(), ImageReference::DEFAULT),
            (
                "trigger_image",
                self.trigger_images(),
                ImageReference::DEFAULT_TRIGGER,
            ),
            (
                "base_image",
                self.base_images(),
                ImageReference::DEFAULT_BASE,
            ),
        ];
        let chosen = settings
            .into_iter()
            .filter_map(|(setting, candidates, default)| {
                let own = candidates.iter().filter(|(_, file)| file.is_none());
                let (own, _) = first(own.cloned().collect(), default.clone());
                let (Setting { value: image, .. }, file) = first(candidates, default);
                let file = file.filter(|_| image != own.value)?.to_owned();
                Some(ChosenImage {
                    setting,
                    image,
                    file,
                })
            });
        chosen.collect()
    }

    /// The file, when it is the project's, which may be a stranger's.
    fn unless_the_users(&self, file: &'a ConfigFile) -> Option<&'a Path> {
        let is_users = self
            .inputs
            .user
            .is_some_and(|user| std::ptr::eq(user, file));
        (!is_users).then_some(file.path.as_path())
    }

    fn runtime_class(&self) -> Setting<Option<String>> {
        let found = flag(self.inputs.flags.runtime_class.clone())
            .or_else(|| self.of_environment(|environment| environment.runtime_class.clone()))
            .or_else(|| self.of_config(|config| config.runtime_class.as_ref()))
            .filter_or_default(|_| true, DEFAULT_RUNTIME_CLASS);
        Setting {
            value: Some(found.value).filter(|name| !name.is_empty()),
            origin: found.origin,
        }
    }

    fn trigger_image(&self) -> Setting<ImageReference> {
        first(self.trigger_images(), ImageReference::DEFAULT_TRIGGER).0
    }

    fn context(&self) -> Option<Setting<String>> {
        flag(self.inputs.flags.context.clone())
            .or_else(|| self.of_environment(|environment| environment.context.clone()))
    }

    /// From the command line and the user's own file only: a kubeconfig names programs that run, and a project may come
    /// from anybody.
    fn kubeconfig(&self) -> Result<Option<Setting<PathBuf>>, Unresolvable> {
        if let Some(path) = self.inputs.flags.kubeconfig.clone() {
            return Ok(Some(Setting {
                value: path,
                origin: Origin::Flag,
            }));
        }
        let Some(environment) = &self.environment else {
            return Ok(None);
        };
        let mut of_project = None;
        for (file, definition) in &environment.definitions {
            match &definition.kubeconfig {
                Some(path) if self.unless_the_users(file).is_none() => {
                    return Ok(Some(Setting {
                        value: resolve_path(path, &file.path, self.inputs.home),
                        origin: Origin::Environment(environment.name.to_owned()),
                    }));
                }
                Some(_) => of_project = Some(file.path.clone()),
                None => {}
            }
        }
        match of_project {
            Some(file) => Err(Unresolvable::ProjectKubeconfig {
                file,
                environment: environment.name.to_owned(),
            }),
            None => Ok(None),
        }
    }

    /// A project's file may be a stranger's, who would like to name the user's own files.
    fn secrets_source_is_the_users(&self) -> bool {
        let definitions = self.environment.iter().flat_map(|it| &it.definitions);
        let mut naming = definitions.filter(|(_, it)| it.secrets_source.is_some());
        let user = self.inputs.user.map(|file| &file.path);
        naming
            .next()
            .is_some_and(|(file, _)| user == Some(&file.path))
    }

    fn enforcement(&self) -> Setting<Enforcement> {
        let found = self.environment.as_ref().and_then(|environment| {
            let value = environment
                .definitions
                .iter()
                .find_map(|(_, definition)| definition.enforcement)?;
            Some(Setting {
                value,
                origin: Origin::Environment(environment.name.to_owned()),
            })
        });
        found.unwrap_or(Setting {
            value: Enforcement::default(),
            origin: Origin::Default,
        })
    }

    /// The user's definition below the project's.
    fn config_overrides(&self) -> Map<String, Value> {
        let mut merged = Map::new();
        let definitions = self
            .environment
            .iter()
            .flat_map(|environment| environment.definitions.iter().rev());
        for (_, definition) in definitions {
            merge(&mut merged, &definition.config_overrides);
        }
        merged
    }

    fn of_environment(
        &self,
        get: impl Fn(&Environment) -> Option<String>,
    ) -> Option<Setting<String>> {
        let environment = self.environment.as_ref()?;
        let value = environment
            .definitions
            .iter()
            .find_map(|(_, definition)| get(definition))?;
        Some(Setting {
            value,
            origin: Origin::Environment(environment.name.to_owned()),
        })
    }

    fn of_workflow(&self) -> Option<Setting<String>> {
        self.inputs.workflow_namespace.map(|namespace| Setting {
            value: namespace.to_owned(),
            origin: Origin::Workflow,
        })
    }

    fn of_config(&self, get: impl Fn(&Config) -> Option<&String>) -> Option<Setting<String>> {
        self.of_configs(get).next().map(|(setting, _)| setting)
    }

    fn of_configs<T: Clone>(
        &self,
        get: impl Fn(&Config) -> Option<&T>,
    ) -> impl Iterator<Item = Candidate<'a, T>> {
        let layers = [
            (self.inputs.project, Origin::Project),
            (self.inputs.user, Origin::User),
        ];
        layers.into_iter().filter_map(move |(file, origin)| {
            let file = file?;
            let value = get(&file.config)?.clone();
            Some((Setting { value, origin }, self.unless_the_users(file)))
        })
    }
}

impl<'a> ActiveEnvironment<'a> {
    fn find(name: &'a str, inputs: &Inputs<'a>) -> Result<Self, Unresolvable> {
        let files = [inputs.project, inputs.user].into_iter().flatten();
        let definitions: Vec<_> = files
            .clone()
            .filter_map(|file| Some((file, file.config.environments.get(name)?)))
            .collect();
        if definitions.is_empty() {
            let mut known: Vec<_> = files
                .flat_map(|file| file.config.environments.keys().cloned())
                .collect();
            known.sort();
            known.dedup();
            return Err(Unresolvable::UnknownEnvironment {
                name: name.to_owned(),
                known,
            });
        }
        Ok(Self { name, definitions })
    }
}

fn flag(value: Option<String>) -> Option<Setting<String>> {
    value.map(|value| Setting {
        value,
        origin: Origin::Flag,
    })
}

/// A value that a layer has, and the file of the directory that says so, when it is one.
type Candidate<'a, T = NamedImage> = (Setting<T>, Option<&'a Path>);

fn flagged<'a>(image: Option<&ImageReference>) -> impl Iterator<Item = Candidate<'a>> {
    let setting = image.map(|image| Setting {
        value: NamedImage(Some(image.clone())),
        origin: Origin::Flag,
    });
    setting.map(|setting| (setting, None)).into_iter()
}

/// The first of the candidates; the default where there is none, or an empty one, which ends the search.
fn first(
    candidates: Vec<Candidate<'_>>,
    default: ImageReference,
) -> (Setting<ImageReference>, Option<&Path>) {
    match candidates.into_iter().next() {
        Some((
            Setting {
                value: NamedImage(Some(value)),
                origin,
            },
            file,
        )) => (Setting { value, origin }, file),
        _ => (
            Setting {
                value: default,
                origin: Origin::Default,
            },
            None,
        ),
    }
}

/// Ends a cascade: an unusable or absent value becomes the default.
trait OrDefault {
    fn filter_or_default(self, usable: impl Fn(&str) -> bool, default: &str) -> Setting<String>;
}

impl OrDefault for Option<Setting<String>> {
    fn filter_or_default(self, usable: impl Fn(&str) -> bool, default: &str) -> Setting<String> {
        self.filter(|found| usable(&found.value))
            .unwrap_or_else(|| Setting {
                value: default.to_owned(),
                origin: Origin::Default,
            })
    }
}

/// A path of a config file: `~` is the home directory, relative paths start at the file's directory.
fn resolve_path(path: &str, file: &Path, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => file.parent().unwrap_or(Path::new("")).join(path),
    }
}

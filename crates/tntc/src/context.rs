//! What every command works with: the global flags, the printer, the home directory, and ways to open things.

use std::path::{Path, PathBuf};

use tntc_core::project::WORKFLOW_FILE;
use tntc_core::settings::{self, BuiltImage, Flags, Inputs, Settings};
use tntc_core::values::ImageReference;
use tntc_core::workflow::Namespace;

use crate::cli::Global;
use crate::cluster::Cluster;
use crate::cluster::client::connect::{self, Target};
use crate::outcome::{Error, Result};
use crate::terminal::Printer;
use crate::workspace::project::{self, Opened};
use crate::workspace::{config_files, image_record, trust};

/// What every command works with.
pub struct Context {
    /// The global flags.
    pub global: Global,
    /// The only way to print.
    pub printer: Printer,
    /// The user's home directory.
    pub home: Option<PathBuf>,
    /// Instead of the cluster that the settings name.
    #[cfg(test)]
    pub cluster: Option<Cluster>,
}

/// The flags of one command that enter the settings.
#[derive(Debug, Default)]
pub struct Overrides {
    /// `--image`
    pub image: Option<ImageReference>,
    /// `--runtime-class`
    pub runtime_class: Option<String>,
    /// `--base`
    pub base: Option<ImageReference>,
    /// Whether the command is there to write what was built anew, so that it must not fail on what was.
    pub rebuilds: bool,
}

impl Context {
    /// Reads and checks a workflow directory; warnings go to stderr.
    pub fn open(&self, dir: &Path) -> Result<Opened> {
        let opened = project::open(dir, self.printer.color())?;
        let verbose = self.printer.verbose();
        let shown = if verbose {
            opened.warnings.clone()
        } else {
            opened.warnings.without_hints()
        };
        if !shown.is_empty() {
            let file = opened.dir.join(WORKFLOW_FILE).display().to_string();
            let source = opened.project.workflow_file().unwrap_or_default();
            self.printer
                .rendered(shown.render(&file, source, self.printer.color()).trim_end());
        }
        Ok(opened)
    }

    /// Settings for a command that works on a workflow directory.
    pub fn settings_of(&self, opened: &Opened, overrides: Overrides) -> Result<Settings> {
        let namespace = opened
            .workflow
            .deployment
            .namespace
            .as_ref()
            .map(Namespace::as_str);
        self.resolve(&opened.dir, namespace, overrides)
    }

    /// Settings for a command that works on what is deployed; the current directory's project config counts, and where
    /// it is a workflow's, the namespace that the workflow is deployed to.
    pub fn settings(&self) -> Result<Settings> {
        let here = Path::new(".");
        let opened = here.join(WORKFLOW_FILE).exists();
        // A workflow with mistakes is deployed nowhere, and what is asked about may be another one.
        let opened = opened.then(|| project::open(here, false).ok()).flatten();
        let namespace = opened.and_then(|opened| opened.workflow.deployment.namespace);
        let namespace = namespace.as_ref().map(Namespace::as_str);
        self.resolve(here, namespace, Overrides::default())
    }

    /// Settings for a command that a workflow directory may or may not be given to.
    pub fn settings_near(&self, opened: Option<&Opened>, overrides: Overrides) -> Result<Settings> {
        match opened {
            Some(opened) => self.settings_of(opened, overrides),
            None => self.resolve(Path::new("."), None, overrides),
        }
    }

    fn resolve(
        &self,
        dir: &Path,
        workflow_namespace: Option<&str>,
        overrides: Overrides,
    ) -> Result<Settings> {
        let user = config_files::user_config(self.home.as_deref())?;
        let project = config_files::project_config(dir, self.home.as_deref())?;
        for unknown in [&user, &project]
            .into_iter()
            .flatten()
            .flat_map(settings::unknown_keys)
        {
            self.printer.warn(unknown);
        }
        for file in [&user, &project].into_iter().flatten() {
            self.printer
                .detail(format!("config: {}", file.path.display()));
        }
        let is_replaced = overrides.rebuilds || overrides.image.is_some();
        let built = if is_replaced {
            None
        } else {
            image_record::read(dir)?
        };
        let inputs = Inputs {
            flags: self.flags(overrides),
            workflow_namespace,
            built_image: built.as_ref().map(|built| BuiltImage {
                image: &built.image,
                is_own: built.is_own,
                file: &built.file,
            }),
            project: project.as_ref(),
            user: user.as_ref(),
            home: self.home.as_deref(),
        };
        let settings = settings::resolve(&inputs).map_err(|cause| {
            let error = Error::usage(cause.to_string());
            match cause.hint() {
                Some(hint) => error.hint(hint),
                None => error,
            }
        })?;
        let of_context = connect::context_namespace(&settings);
        Ok(settings.or_context_namespace(of_context))
    }

    /// As [`trust::require_images`], for the user of this call.
    pub fn require_images(&self, settings: &Settings, wanted: &[&str], dir: &Path) -> Result<()> {
        trust::require_images(settings, wanted, dir, self.home.as_deref(), &self.printer)
    }

    fn flags(&self, overrides: Overrides) -> Flags {
        let global = self.global.clone();
        Flags {
            namespace: global.namespace,
            registry: global.registry,
            base: overrides.base,
            image: overrides.image,
            runtime_class: overrides.runtime_class,
            context: global.context,
            kubeconfig: global.kubeconfig,
            environment: global.environment,
        }
    }

    /// The config files that count in the current directory, the user's before the project's.
    pub fn config_files(&self) -> Result<Vec<PathBuf>> {
        let user = config_files::user_config(self.home.as_deref())?;
        let project = config_files::project_config(Path::new("."), self.home.as_deref())?;
        let files = [user, project].into_iter().flatten();
        Ok(files.map(|file| file.path).collect())
    }

    /// A client for the cluster that the settings name.
    pub async fn connect(&self, settings: &Settings) -> Result<Cluster> {
        #[cfg(test)]
        if let Some(cluster) = &self.cluster {
            return Ok(cluster.clone());
        }
        let target = Target::find(settings)?;
        self.printer.detail(format!("cluster: {}", target.told()));
        // A credential plugin is another program, which may ask the user something.
        let connected = tokio::task::spawn_blocking(move || target.connect()).await;
        connected.map_err(|cause| Error::surroundings(cause.to_string()))?
    }
}

/// The namespace in force, as a valid one.
pub fn namespace(settings: &Settings) -> Result<Namespace> {
    let name = &settings.namespace;
    name.value.parse().map_err(|cause| {
        Error::usage(format!(
            "the namespace `{}` (from {}) is invalid: {cause}",
            name.value, name.origin
        ))
    })
}

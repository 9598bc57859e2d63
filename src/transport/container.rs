//! Containers and their kin: machines that a program on the controller opens (`docker exec`, `podman exec`,
//! `chroot`, …). The program is started with the words of a command after its own; no shell comes between.

use super::TransportError;
use super::target::Target;
use crate::value::shell_words;

/// The program that opens the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Container {
    /// `docker exec` (`community.docker.docker`, `community.docker.docker_api`).
    Docker,
    /// `podman exec` (`containers.podman.podman`).
    Podman,
    /// `buildah run` (`containers.podman.buildah`).
    Buildah,
    /// `lxc-attach` (`community.general.lxc`).
    Lxc,
    /// `lxc exec` (`community.general.lxd`).
    Lxd,
    /// `incus exec` (`community.general.incus`).
    Incus,
    /// `chroot` (`community.general.chroot`); the host is the directory.
    Chroot,
    /// `kubectl exec` (`kubernetes.core.kubectl`).
    Kubectl,
}

/// A setting of such a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerSetting {
    /// The name of the container, directory or pod, in place of the host's.
    Host,
    /// The login user.
    User,
    /// The program in place of the usual one.
    Executable,
    /// More words for the program, before its command.
    ExtraArgs,
    /// Variables of the environment, as a mapping.
    ExtraEnv,
    /// The directory that commands start in.
    WorkingDir,
    /// Whether commands have all privileges.
    Privileged,
    /// The namespace of a pod, or the project of an instance.
    Namespace,
    /// The container of a pod.
    Container,
    /// The server of an instance.
    Remote,
    /// The `kubeconfig` of a pod's cluster.
    Config,
    /// The context in it.
    Context,
}

/// The values of those settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerOptions {
    /// The program in place of the usual one.
    pub executable: Option<String>,
    /// More words for the program, as a shell would split them.
    pub extra_args: String,
    /// Variables of the environment of commands.
    pub extra_env: Vec<(String, String)>,
    /// The directory that commands start in.
    pub working_dir: Option<String>,
    /// Whether commands have all privileges.
    pub privileged: bool,
    /// The namespace of a pod, or the project of an instance.
    pub namespace: Option<String>,
    /// The container of a pod.
    pub container: Option<String>,
    /// The server of an instance.
    pub remote: Option<String>,
    /// The `kubeconfig` of a pod's cluster.
    pub config: Option<String>,
    /// The context in it.
    pub context: Option<String>,
}

use ContainerSetting as S;

impl Container {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Docker,
        Self::Podman,
        Self::Buildah,
        Self::Lxc,
        Self::Lxd,
        Self::Incus,
        Self::Chroot,
        Self::Kubectl,
    ];

    /// The one that a value of `ansible_connection` names.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "docker" | "community.docker.docker" | "community.docker.docker_api" => Self::Docker,
            "podman" | "containers.podman.podman" => Self::Podman,
            "buildah" | "containers.podman.buildah" => Self::Buildah,
            "lxc" | "community.general.lxc" => Self::Lxc,
            "lxd" | "community.general.lxd" => Self::Lxd,
            "incus" | "community.general.incus" => Self::Incus,
            "chroot" | "community.general.chroot" => Self::Chroot,
            "kubectl" | "kubernetes.core.kubectl" => Self::Kubectl,
            _ => return None,
        })
    }

    /// Its name, which is also that of its program but for `lxc` (`lxc-attach`) and `lxd` (`lxc`).
    pub fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Buildah => "buildah",
            Self::Lxc => "lxc",
            Self::Lxd => "lxd",
            Self::Incus => "incus",
            Self::Chroot => "chroot",
            Self::Kubectl => "kubectl",
        }
    }

    /// The variables of inventories that set it up, besides `ansible_host` and `ansible_user`, as
    /// the pages of the connections in Ansible's documentation name them.
    pub fn variables(self) -> &'static [(ContainerSetting, &'static [&'static str])] {
        match self {
            Self::Docker => &[
                (S::Host, &["ansible_docker_host"]),
                (S::User, &["ansible_docker_user"]),
                (S::ExtraArgs, &["ansible_docker_extra_args"]),
                (S::ExtraEnv, &["ansible_docker_extra_env"]),
                (S::WorkingDir, &["ansible_docker_working_dir"]),
                (S::Privileged, &["ansible_docker_privileged"]),
            ],
            Self::Podman => &[
                (S::Host, &["ansible_podman_host"]),
                (S::Executable, &["ansible_podman_executable"]),
                (S::ExtraArgs, &["ansible_podman_extra_args"]),
                (S::ExtraEnv, &["ansible_podman_extra_env"]),
                (S::Privileged, &["ansible_podman_privileged"]),
                (S::WorkingDir, &["ansible_podman_working_dir"]),
            ],
            Self::Buildah => &[
                (S::Host, &["ansible_buildah_host"]),
                (S::Executable, &["ansible_buildah_executable"]),
                (S::ExtraArgs, &["ansible_buildah_extra_args"]),
            ],
            Self::Lxc => &[
                (S::Host, &["ansible_lxc_host"]),
                (S::Executable, &["ansible_lxc_executable"]),
            ],
            Self::Lxd => &[
                (S::Host, &["ansible_lxd_host"]),
                (S::Executable, &["ansible_lxd_executable"]),
                (S::Namespace, &["ansible_lxd_project"]),
                (S::Remote, &["ansible_lxd_remote"]),
            ],
            Self::Incus => &[
                (S::Host, &["ansible_incus_host"]),
                (S::Executable, &["ansible_incus_executable"]),
                (S::Namespace, &["ansible_incus_project"]),
                (S::Remote, &["ansible_incus_remote"]),
            ],
            Self::Chroot => &[
                (S::Host, &["ansible_chroot_host"]),
                (S::Executable, &["ansible_chroot_exe"]),
            ],
            Self::Kubectl => &[
                (S::Host, &["ansible_kubectl_pod"]),
                (S::Container, &["ansible_kubectl_container"]),
                (S::Namespace, &["ansible_kubectl_namespace"]),
                (
                    S::Config,
                    &["ansible_kubectl_kubeconfig", "ansible_kubectl_config"],
                ),
                (S::Context, &["ansible_kubectl_context"]),
                (S::ExtraArgs, &["ansible_kubectl_extra_args"]),
            ],
        }
    }

    /// The words that open the machine for a program that adds its name and a command itself, as rsync does; `None`
    /// where the name does not come last.
    ///
    /// # Errors
    /// As for any connection to it.
    pub fn opening_words(self, target: &Target) -> Result<Option<Vec<String>>, TransportError> {
        if !matches!(self, Self::Docker | Self::Podman | Self::Buildah) {
            return Ok(None);
        }
        let mut words = self.words(target)?;
        words.pop();
        Ok(Some(words))
    }

    /// The words that come before those of a command in the machine.
    ///
    /// # Errors
    /// When the machine's name would be taken for an option, or the extra arguments have a quote that nothing closes.
    pub(crate) fn words(self, target: &Target) -> Result<Vec<String>, TransportError> {
        let wrong = |reason: String| TransportError::Settings { reason };
        if target.host.is_empty() || target.host.starts_with('-') {
            return Err(wrong(format!(
                "`{}` cannot be the name of a container",
                target.host
            )));
        }
        let options = &target.container;
        let program = match self {
            Self::Lxc => "lxc-attach",
            Self::Lxd => "lxc",
            _ => self.name(),
        };
        let mut words = vec![
            options
                .executable
                .clone()
                .unwrap_or_else(|| program.to_owned()),
        ];
        let extra = shell_words(&options.extra_args).map_err(|why| {
            wrong(format!(
                "the extra arguments of the connection `{}`: {why}",
                self.name()
            ))
        })?;
        words.extend(extra);
        let user = target.user.as_deref();
        let host = target.host.as_str();
        let mut add = |more: &[&str]| words.extend(more.iter().map(|&word| word.to_owned()));
        match self {
            Self::Docker | Self::Podman => {
                add(&["exec", "-i"]);
                if options.privileged {
                    add(&["--privileged"]);
                }
                if let Some(user) = user {
                    add(&["-u", user]);
                }
                if let Some(directory) = &options.working_dir {
                    add(&["-w", directory]);
                }
                for (name, value) in &options.extra_env {
                    add(&["-e", &format!("{name}={value}")]);
                }
                add(&[host]);
            }
            Self::Buildah => {
                add(&["run"]);
                if let Some(user) = user {
                    add(&["--user", user]);
                }
                add(&["--", host]);
            }
            Self::Lxc => add(&["-n", host, "--"]),
            Self::Lxd | Self::Incus => {
                if let Some(project) = &options.namespace {
                    add(&["--project", project]);
                }
                let place = match &options.remote {
                    Some(remote) => format!("{remote}:{host}"),
                    None => host.to_owned(),
                };
                add(&["exec", &place, "-T", "--"]);
            }
            Self::Chroot => add(&[host]),
            Self::Kubectl => {
                if let Some(file) = &options.config {
                    add(&["--kubeconfig", file]);
                }
                if let Some(context) = &options.context {
                    add(&["--context", context]);
                }
                if let Some(namespace) = &options.namespace {
                    add(&["-n", namespace]);
                }
                add(&["exec", "-i", host]);
                if let Some(container) = &options.container {
                    add(&["-c", container]);
                }
                add(&["--"]);
            }
        }
        Ok(words)
    }
}

#[cfg(test)]
mod tests {
    use super::{Container, ContainerOptions};
    use crate::transport::Target;

    fn words(kind: Container, host: &str, user: Option<&str>, options: ContainerOptions) -> String {
        let target = Target {
            host: host.to_owned(),
            user: user.map(str::to_owned),
            container: options,
            ..Target::default()
        };
        match kind.words(&target) {
            Ok(words) => words.join("|"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_command_lines() {
        let none = ContainerOptions::default;
        let docker = ContainerOptions {
            extra_args: "-H 'tcp://h:1 x'".into(),
            working_dir: Some("/w".into()),
            privileged: true,
            extra_env: vec![("A".into(), "b c".into())],
            ..none()
        };
        assert_eq!(
            words(Container::Docker, "web", Some("app"), docker),
            "docker|-H|tcp://h:1 x|exec|-i|--privileged|-u|app|-w|/w|-e|A=b c|web"
        );
        assert_eq!(
            words(Container::Podman, "web", None, none()),
            "podman|exec|-i|web"
        );
        assert_eq!(
            words(Container::Chroot, "/srv/root", None, none()),
            "chroot|/srv/root"
        );
        assert_eq!(
            words(Container::Lxc, "c", None, none()),
            "lxc-attach|-n|c|--"
        );
        let lxd = ContainerOptions {
            namespace: Some("p".into()),
            remote: Some("far".into()),
            ..none()
        };
        assert_eq!(
            words(Container::Lxd, "c", None, lxd),
            "lxc|--project|p|exec|far:c|-T|--"
        );
        let pod = ContainerOptions {
            namespace: Some("ns".into()),
            container: Some("app".into()),
            config: Some("/k".into()),
            ..none()
        };
        assert_eq!(
            words(Container::Kubectl, "pod", None, pod),
            "kubectl|--kubeconfig|/k|-n|ns|exec|-i|pod|-c|app|--"
        );
    }

    #[test]
    fn what_cannot_be_a_name() {
        assert!(
            words(
                Container::Docker,
                "--privileged",
                None,
                ContainerOptions::default()
            )
            .contains("cannot be the name")
        );
        let open = ContainerOptions {
            extra_args: "'a".into(),
            ..ContainerOptions::default()
        };
        assert!(words(Container::Docker, "c", None, open).contains("No closing quotation"));
    }

    #[test]
    fn names_with_and_without_collection() {
        for kind in Container::ALL {
            assert_eq!(Container::from_name(kind.name()), Some(kind));
        }
        assert_eq!(
            Container::from_name("community.docker.docker"),
            Some(Container::Docker)
        );
        assert_eq!(Container::from_name("telnet"), None);
    }
}

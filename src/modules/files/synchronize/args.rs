//! The arguments of `synchronize`.

use crate::value::Secret;
use crate::{choices, module_args};

choices! {
    /// The direction.
    pub enum Mode {
        /// From where rsync runs.
        Push = "push",
        /// To where rsync runs.
        Pull = "pull",
    }
}

module_args! {
    /// Arguments of `synchronize`.
    pub struct Args {
        /// What is copied. With a slash at its end: what is in the directory, not the directory itself.
        src: String => required;
        /// Where it is copied to.
        dest: String => required;
        /// The port of `sshd` on the host, in place of the connection's.
        dest_port: Option<i64> => optional;
        /// `push`: from where rsync runs (the controller, or the host that the task is delegated to) to the host;
        /// `pull`: from the host to there.
        mode: Mode => default("push");
        /// Keep everything: `recursive`, `links`, `perms`, `times`, `owner`, `group`, devices and special files. Each of
        /// the six can be turned off by its own argument.
        archive: bool => default(true);
        /// Compare contents rather than times and sizes.
        checksum: bool => default(false);
        /// Compress what is sent.
        compress: bool => default(true);
        /// Make no files that are not there, only change those that are.
        existing_only: bool => default(false);
        /// Remove what is in `dest` and not in `src`, when everything else is done. Needs `recursive`.
        delete: bool => default(false);
        /// Copy directories, but not what is in them.
        dirs: bool => default(false);
        /// Copy what is in directories; as `archive` says if it is not given.
        recursive: Option<bool> => optional;
        /// Copy symbolic links as links; as `archive` says if it is not given.
        links: Option<bool> => optional;
        /// Copy what symbolic links point to.
        copy_links: bool => default(false);
        /// Keep permissions; as `archive` says if it is not given.
        perms: Option<bool> => optional;
        /// Keep modification times; as `archive` says if it is not given.
        times: Option<bool> => optional;
        /// Keep the owner; as `archive` says if it is not given.
        owner: Option<bool> => optional;
        /// Keep the group; as `archive` says if it is not given.
        group: Option<bool> => optional;
        /// The rsync at the other end; it may be a command line (`sudo rsync`, which is what `become` makes of it). The
        /// one that is started is in the variable `ansible_rsync_path`.
        rsync_path: Option<String> => optional;
        /// Seconds without a byte after which rsync gives up; 0 is never.
        rsync_timeout: i64 => default(0);
        /// Log in as the user of the connection. Without it, ssh's own configuration says who.
        set_remote_user: bool => default(true);
        /// Give ssh the arguments of the connection (`ansible_ssh_args`, …) also where rsync runs on another machine than
        /// the controller. On the controller it always has them.
        use_ssh_args: bool => default(false);
        /// Let ssh share a connection, if its own configuration says so.
        ssh_connection_multiplexing: bool => default(false);
        /// More options for rsync.
        rsync_opts: Vec<String> => default(Vec::<String>::new());
        /// Keep files that were sent in part, to go on with them the next time.
        partial: bool => default(false);
        /// Check the host's key: yes, or no. What is not said is as for the task's own connection.
        verify_host: Option<bool> => optional;
        /// The private key for ssh, in place of the connection's.
        private_key: Option<String> => optional;
        /// Directories with files that are linked to, where they are the same, instead of copied.
        link_dest: Option<Vec<String>> => optional;
        /// Put all files in place at the end, one right after the other.
        delay_updates: bool => default(true);
        /// Whether results tell of a dry run.
        _check: bool => default(false);
        /// What is started.
        _program: String => default("rsync");
        /// The way to the other end.
        _rsh: Option<Vec<String>> => optional;
        /// The end that is the controller, where rsync runs on another machine.
        _controller: bool => default(false);
        /// What ssh asks for: the password, and that of the private key.
        _password: Option<Secret<String>> => optional, secret;
        /// See `_password`.
        _passphrase: Option<Secret<String>> => optional, secret;
    }
}

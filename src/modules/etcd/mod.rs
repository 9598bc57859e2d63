//! etcd: `etcd_kv`, `etcd_role`, `etcd_user`, `etcd_auth`, `etcd_member`, `etcd_info`.
//!
//! The modules speak gRPC themselves. etcd's JSON gateway calls on with the server's own certificate, so that nobody can log
//! in through it; and no `etcdctl` is needed, nor does a password get into a process list.

mod access;
mod auth;
mod kv;
mod member;
mod message;
mod role;
mod user;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[
    Entry::of::<kv::EtcdKv>(),
    Entry::of::<role::EtcdRole>(),
    Entry::of::<user::EtcdUser>(),
    Entry::of::<auth::EtcdAuth>(),
    Entry::of::<member::EtcdMember>(),
    Entry::of::<member::EtcdInfo>(),
];

/// A key, or with `prefix` the range of all keys that begin with it: its first key and the first behind it.
fn range_of(key: &str, prefix: bool) -> (Vec<u8>, Vec<u8>) {
    let from = key.as_bytes().to_vec();
    if !prefix {
        return (from, Vec::new());
    }
    let mut to = from.clone();
    while let Some(last) = to.pop() {
        if last < 0xff {
            to.push(last + 1);
            return (from, to);
        }
    }
    // all keys that there are
    (from, vec![0])
}

#[cfg(test)]
mod tests {
    use super::range_of;

    #[test]
    fn ranges() {
        assert_eq!(range_of("/a/", false), (b"/a/".to_vec(), vec![]));
        assert_eq!(range_of("/a/", true), (b"/a/".to_vec(), b"/a0".to_vec()));
        assert_eq!(range_of("", true), (vec![], vec![0]));
    }
}

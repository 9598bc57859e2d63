//! Tests of paths on the controller.

use super::Test;
use crate::template::call::Call;
use crate::template::expand_home;
use minijinja::Error;
use std::path::PathBuf;

pub(super) const TABLE: &[(&str, Test)] = &[
    ("directory", |c| Ok(path(c)?.is_dir())),
    ("is_dir", |c| Ok(path(c)?.is_dir())),
    ("file", |c| Ok(path(c)?.is_file())),
    ("is_file", |c| Ok(path(c)?.is_file())),
    ("link", |c| Ok(path(c)?.is_symlink())),
    ("is_link", |c| Ok(path(c)?.is_symlink())),
    ("exists", |c| Ok(path(c)?.exists())),
    ("link_exists", |c| Ok(path(c)?.symlink_metadata().is_ok())),
    ("abs", |c| Ok(c.text()?.starts_with('/'))),
    ("is_abs", |c| Ok(c.text()?.starts_with('/'))),
    ("same_file", same),
    ("is_same_file", same),
    ("mount", mount),
    ("is_mount", mount),
    ("vaulted_file", |c| {
        let found = c.render.session.files.find("files", &c.text()?);
        Ok(found.is_some_and(|path| crate::vault::is_encrypted_file(&path)))
    }),
];

fn path(call: &mut Call) -> Result<PathBuf, Error> {
    Ok(expand_home(&call.text()?))
}

fn same(call: &mut Call) -> Result<bool, Error> {
    let other = expand_home(&call.args.text("path2")?);
    let own = path(call)?;
    Ok(matches!((own.canonicalize(), other.canonicalize()), (Ok(a), Ok(b)) if a == b))
}

fn mount(call: &mut Call) -> Result<bool, Error> {
    use std::os::unix::fs::MetadataExt;
    let own = path(call)?;
    let (Ok(meta), Ok(parent)) = (own.symlink_metadata(), own.join("..").metadata()) else {
        return Ok(false);
    };
    Ok(meta.is_dir() && (meta.dev() != parent.dev() || meta.ino() == parent.ino()))
}

//! Packages and where they come from.

mod apk;
mod apt;
mod apt_key;
mod apt_repository;
mod deb822_repository;
mod debconf;
mod dnf;
mod dpkg_selections;
mod gem;
mod npm;
mod openpgp;
mod package;
mod pacman;
mod pip;
mod rhsm_repository;
mod rpm_key;
mod simple;
mod snap;
mod transaction;
mod yum_repository;
mod zypper;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[
    Entry::of::<apt::Apt>(),
    Entry::of::<apt_key::AptKey>(),
    Entry::of::<apt_repository::AptRepository>(),
    Entry::of::<yum_repository::YumRepository>(),
    Entry::of::<package::Package>(),
    Entry::of::<pip::Pip>(),
    Entry::of::<rpm_key::RpmKey>(),
    Entry::of::<deb822_repository::Deb822Repository>(),
    Entry::of::<debconf::Debconf>(),
    Entry::of::<dpkg_selections::DpkgSelections>(),
    Entry::of::<gem::Gem>(),
    Entry::of::<npm::Npm>(),
    Entry::of::<rhsm_repository::RhsmRepository>(),
    Entry::of::<dnf::Dnf>(),
    Entry::of::<apk::Apk>(),
    Entry::of::<pacman::Pacman>(),
    Entry::of::<zypper::Zypper>(),
    Entry::of::<snap::Snap>(),
];

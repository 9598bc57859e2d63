//! Modules that call one of the machine's own: `package` and `service` with `module_defaults` for what they call.

use super::bed;
use super::play::play;

const BOOK: &str = "\
- hosts: all
  gather_facts: false
  become: true
  module_defaults:
    apt: {state: absent}
    systemd: {enabled: false}
  tasks:
    - package: {name: there-is-no-such-package}
    - package: {name: there-is-no-such-package, state: present}
      register: wanted
      ignore_errors: true
    - service: {name: ssh, state: started}
      register: disabled
    - service: {name: ssh, state: started, enabled: true}
      register: enabled
    - assert:
        that:
          - wanted is failed
          - disabled is changed
          - not disabled.enabled
          - enabled is not changed
";

#[test]
fn defaults_of_the_modules_that_are_called_count() {
    let Some(bed) = bed::shared() else { return };
    let book = bed.file("called.yml", BOOK);
    let run = play(&bed, &book, &["--check"]).expect(0);
    assert_eq!(run.count("m1", "failed"), 0, "{run}");
}

//! Much of everything: output, items, files, and big files.

use super::bed;
use super::bed::Must;
use super::play::{Running, play};
use std::time::{Duration, Instant};

#[test]
fn output_may_be_large_binary_or_never_end() {
    let Some(bed) = bed::shared() else { return };
    let book = bed.file(
        "output.yml",
        "- hosts: m1\n  gather_facts: false\n  tasks:\n\
         \x20   - shell: head -c 20000000 /dev/zero | tr '\\0' x\n      register: large\n\
         \x20   - assert: {that: large.stdout | length == 20000000}\n\
         \x20   - shell: printf 'a\\000b\\377c'\n      register: binary\n\
         \x20   - assert: {that: \"binary.stdout is match('a.b.+c')\"}\n\
         \x20   - shell: sleep 60 & echo started\n      register: background\n\
         \x20   - assert: {that: background.stdout == 'started'}\n\
         \x20   - command: pkill -x sleep\n\
         \x20   - shell: sleep 237; true\n      timeout: 1\n",
    );
    let begun = Instant::now();
    let run = play(&bed, &book, &[]).expect(2);
    assert!(
        begun.elapsed() < Duration::from_secs(40),
        "{:?}: {run}",
        begun.elapsed()
    );
    assert_eq!(
        (run.count("m1", "ok"), run.count("m1", "failed")),
        (7, 1),
        "{run}"
    );
    assert!(run.all().contains("expected time frame (1)"), "{run}");
    assert_eq!(
        bed.machines[0].ssh("pgrep -x sleep").rc,
        1,
        "what took too long is ended"
    );
}

#[test]
fn a_loop_of_thousands_is_one_request() {
    let Some(bed) = bed::shared() else { return };
    let book = bed.file(
        "loop.yml",
        "- hosts: m1\n  gather_facts: false\n  tasks:\n\
         \x20   - stat: path=/\n      loop: \"{{ range(5000) | list }}\"\n      register: all\n      no_log: true\n\
         \x20   - assert: {that: all.results | length == 5000}\n",
    );
    let begun = Instant::now();
    play(&bed, &book, &[]).expect(0);
    assert!(
        begun.elapsed() < Duration::from_secs(60),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn big_files_go_both_ways_in_little_memory() {
    let Some(bed) = bed::shared() else { return };
    let machine = &bed.machines[0];
    let size = 200_u64 << 20;
    let big = bed.directory.join("big200");
    std::fs::File::create(&big)
        .and_then(|file| file.set_len(size))
        .expect("a file");
    let back = bed.directory.join("back");
    let book = bed.file(
        "big.yml",
        &format!(
            "- hosts: m1\n  gather_facts: false\n  become: true\n  tasks:\n\
             \x20   - copy: {{src: {}, dest: /srv/big200}}\n\
             \x20   - fetch: {{src: /srv/big200, dest: {}, flat: true}}\n",
            big.display(),
            back.display()
        ),
    );
    let mut running = Running::start(&bed, &book, &[]);
    let (mut here, mut there) = (0, 0);
    while running.runs() {
        here = running.peak().max(here);
        let seen =
            machine.ssh("for p in $(pgrep ^agent-); do sed -n 's/VmHWM://p' /proc/$p/status; done");
        let seen = seen
            .stdout
            .lines()
            .filter_map(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        there = seen.max().unwrap_or(0).max(there);
    }
    let run = running.end(Duration::from_secs(60)).expect(0);
    assert_eq!(run.count("m1", "changed"), 2, "{run}");
    assert_eq!(std::fs::metadata(&back).expect("fetched").len(), size);
    assert!(here < 100 << 10, "the controller took {here} KiB");
    // the program's own pages are the most of it
    assert!(there > 0 && there < 100 << 10, "the agent took {there} KiB");
    machine.must("rm /srv/big200");
    let again = play(&bed, &bed.file("again.yml", &format!(
        "- hosts: m1\n  gather_facts: false\n  tasks:\n    - fetch: {{src: /etc/hostname, dest: {0}/h, flat: true}}\n    - fetch: {{src: /etc/hostname, dest: {0}/h, flat: true}}\n",
        bed.directory.display()
    )), &[]).expect(0);
    assert_eq!(
        again.count("m1", "changed"),
        1,
        "a file that is there is not fetched: {again}"
    );
}

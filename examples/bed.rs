//! Boots machines for a developer: `cargo run --example bed -- 3` or with names: `-- etcd-01 etcd-02`.
//! Prints how to reach them, waits until stdin closes or Ctrl-C comes, and takes everything down.

#![allow(dead_code, unused_imports, reason = "the bed is shared with the tests")]

#[path = "../tests/hosts/bed/mod.rs"]
mod bed;

fn main() -> std::process::ExitCode {
    let mut names: Vec<String> = std::env::args().skip(1).collect();
    let count = match names.as_slice() {
        [] => Some(1),
        [count] => count.parse().ok(),
        _ => None,
    };
    if let Some(count) = count {
        names = (1..=count)
            .map(|number: usize| format!("m{number}"))
            .collect();
    }
    let bed = match bed::Bed::named(&names) {
        Ok(bed) => bed,
        Err(why) => {
            eprintln!("error: {why}");
            return std::process::ExitCode::FAILURE;
        }
    };
    for machine in &bed.machines {
        println!("{} {}", machine.name, machine.addr);
    }
    println!("inventory: {}", bed.inventory().display());
    println!("home: {}", bed.home().display());
    println!(
        "ssh: ssh -F {} {}",
        bed.ssh_config().display(),
        bed.machines.first().map_or("", |machine| &machine.name)
    );
    println!("close stdin or press Ctrl-C to take them down");
    let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    std::process::ExitCode::SUCCESS
}

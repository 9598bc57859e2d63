//! The executable: controller and agent in one.

fn main() {
    std::process::exit(runbook::cli::main());
}

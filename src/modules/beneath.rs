//! `module_defaults` for the modules that `package` and `service` call.

use crate::value::{Map, Value};

/// The arguments above the defaults of that module, which the controller sends under `_defaults`.
pub(crate) fn over_defaults(args: &Map, module: &str) -> Map {
    let defaults = args.get("_defaults").and_then(|all| all.get(module));
    let mut merged = match defaults {
        Some(Value::Map(own)) => (**own).clone(),
        _ => Map::new(),
    };
    merged.extend(args.clone());
    merged.take("_defaults");
    merged
}

#[cfg(test)]
mod tests {
    use super::over_defaults;
    use crate::value::Map;

    #[test]
    fn arguments_are_above_the_defaults_of_that_module() {
        let apt = Map::new().with("state", "latest").with("force", true);
        let dnf = Map::new().with("state", "absent");
        let args = Map::new()
            .with("name", "x")
            .with("force", false)
            .with("_defaults", Map::new().with("apt", apt).with("dnf", dnf));
        let merged = over_defaults(&args, "apt");
        assert_eq!(
            merged,
            Map::new()
                .with("state", "latest")
                .with("force", false)
                .with("name", "x")
        );
        assert_eq!(
            over_defaults(&args, "apk"),
            Map::new().with("name", "x").with("force", false)
        );
    }
}

const FILES: &[(&str, &str)] = &[];

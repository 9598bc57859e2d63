def get_best_parsable_locale(module, preferences=None, raise_on_locale=False):
    rc, out, err = module.run_command(["locale", "-a"], handle_exceptions=False) if module.get_bin_path("locale") else (1, "", "")
    there = out.split() if rc == 0 else []
    for name in preferences or ("C.utf8", "C.UTF-8", "en_US.utf8", "C", "POSIX"):
        if name in there:
            return name
    return "C"

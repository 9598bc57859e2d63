//! Declaring a module's arguments once: the struct, its documentation, its checks and its decoding.

use super::{ArgField, ArgProblem, FromValue, Map, Value};

/// Arguments that can be read from a mapping. Implemented by [`module_args!`](crate::module_args).
pub trait Args: Sized + Send {
    /// Its fields, flattened ones included.
    fn fields() -> Vec<ArgField>;
    /// Reads the fields. Names that are not its own are ignored here; [`super::check_args`] reports them.
    ///
    /// # Errors
    /// All problems found, not only the first.
    fn decode(args: &Map) -> Result<Self, Vec<ArgProblem>>;
}

/// The argument of this name or one of its aliases, as written.
pub fn find<'a>(args: &'a Map, name: &str, aliases: &[&str]) -> Option<(&'a str, &'a Value)> {
    std::iter::once(name)
        .chain(aliases.iter().copied())
        .find_map(|name| args.get_key_value(name))
        .and_then(|(key, value)| Some((key.as_str()?, value)))
}

/// Reads one field.
///
/// # Errors
/// When it is missing though required, or of the wrong type.
pub fn field<T: FromValue>(
    args: &Map,
    name: &'static str,
    aliases: &[&str],
    required: bool,
    default: Option<Value>,
) -> Result<T, ArgProblem> {
    let given = find(args, name, aliases).filter(|(_, value)| !value.is_null());
    let (written, value) = match (given, &default) {
        (Some((written, value)), _) => (written, value),
        (None, Some(default)) => (name, default),
        (None, None) if required || !T::OPTIONAL => return Err(ArgProblem::Missing { name }),
        (None, None) => (name, &Value::Null),
    };
    T::from_value(value).map_err(|problem| {
        let kind = (T::KIND, T::ELEMENTS);
        ArgProblem::of_type((written, name), kind, T::CHOICES, value, problem)
    })
}

/// The check that documentation and the controller run on a single value.
///
/// # Errors
/// When the value does not fit the type.
pub fn check<T: FromValue>(value: &Value) -> Result<(), super::TypeProblem> {
    T::from_value(value).map(drop)
}

/// Declares arguments.
///
/// ```ignore
/// module_args! {
///     pub struct Args {
///         /// The path.
///         path: PathBuf => required, aliases ["dest", "name"];
///         /// Do it even so.
///         force: bool => default(false);
///         /// How often.
///         count: Option<i64> => optional;
///         /// A password.
///         password: Option<Secret<String>> => optional, secret;
///         attrs: FileAttrs => flatten;
///     }
/// }
/// ```
#[macro_export]
macro_rules! module_args {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($body:tt)* }) => {
        $crate::module_args!(@munch [$(#[$meta])* $vis $name] [] [] [] $($body)*);
    };
    // flatten
    (@munch $head:tt [$($decl:tt)*] [$($spec:tt)*] [$($dec:tt)*]
        $(#[doc = $doc:literal])* $field:ident : $ty:ty => flatten ; $($rest:tt)*) => {
        $crate::module_args!(@munch $head
            [$($decl)* $(#[doc = $doc])* pub $field: $ty,]
            [$($spec)* { |out: &mut Vec<$crate::value::ArgField>| out.extend(<$ty as $crate::value::Args>::fields()) }]
            [$($dec)* { $field, |args: &$crate::value::Map| <$ty as $crate::value::Args>::decode(args) }]
            $($rest)*);
    };
    (@munch $head:tt [$($decl:tt)*] [$($spec:tt)*] [$($dec:tt)*]
        $(#[doc = $doc:literal])* $field:ident : $ty:ty => $presence:ident $(($default:expr))?
        $(, aliases [$($alias:literal),* $(,)?])? $(, secret $($secret:literal)?)? ; $($rest:tt)*) => {
        $crate::module_args!(@munch $head
            [$($decl)* $(#[doc = $doc])* pub $field: $ty,]
            [$($spec)* { |out: &mut Vec<$crate::value::ArgField>| out.push($crate::value::ArgField {
                name: $crate::module_args!(@name $field),
                aliases: &[$($($alias),*)?],
                doc: [$($doc),*].iter().map(|line: &&str| line.trim()).collect::<Vec<_>>().join("\n"),
                kind: <$ty as $crate::value::FromValue>::KIND,
                elements: <$ty as $crate::value::FromValue>::ELEMENTS,
                required: $crate::module_args!(@required $presence),
                default: $crate::module_args!(@default $($default)?),
                choices: <$ty as $crate::value::FromValue>::CHOICES,
                secret: $crate::module_args!(@secret $(given $($secret)?)?),
                check: $crate::value::check::<$ty>,
            }) }]
            [$($dec)* { $field, |args: &$crate::value::Map| $crate::value::field::<$ty>(
                args,
                $crate::module_args!(@name $field),
                &[$($($alias),*)?],
                $crate::module_args!(@required $presence),
                $crate::module_args!(@default $($default)?),
            ).map_err(|problem| vec![problem]) }]
            $($rest)*);
    };
    (@munch [$(#[$meta:meta])* $vis:vis $name:ident] [$($decl:tt)*] [$({ $spec:expr })*]
        [$({ $field:ident, $read:expr })*]) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        // some arguments are for the controller's half; their names are Ansible's
        #[allow(dead_code, clippy::struct_field_names)]
        $vis struct $name { $($decl)* }

        impl $crate::value::Args for $name {
            #[allow(clippy::vec_init_then_push)]
            fn fields() -> Vec<$crate::value::ArgField> {
                #[allow(unused_mut)]
                let mut out = Vec::new();
                $({ let push = $spec; push(&mut out); })*
                out
            }
            fn decode(args: &$crate::value::Map) -> Result<Self, Vec<$crate::value::ArgProblem>> {
                #[allow(unused_mut)]
                let mut problems: Vec<$crate::value::ArgProblem> = Vec::new();
                $(
                    let read = $read;
                    let $field = match read(args) {
                        Ok(value) => Some(value),
                        Err(more) => { problems.extend(more); None }
                    };
                )*
                match ($($field,)*) {
                    ($(Some($field),)*) if problems.is_empty() => Ok(Self { $($field),* }),
                    _ => Err(problems),
                }
            }
        }
    };
    (@name $field:ident) => {{
        const NAME: &str = stringify!($field);
        const PLAIN: &str = match NAME.as_bytes() {
            [b'r', b'#', ..] => NAME.split_at(2).1,
            _ => NAME,
        };
        PLAIN
    }};
    (@required required) => { true };
    (@required optional) => { false };
    (@required default) => { false };
    (@default $default:expr) => { Some($crate::value::Value::from($default)) };
    (@default) => { None };
    (@secret given) => { true };
    (@secret) => { false };
}

/// Declares an argument whose values are limited words: an enum that is read from them.
///
/// ```ignore
/// choices! {
///     /// What the path is to be.
///     pub enum State { File = "file", Directory = "directory" }
/// }
/// ```
#[macro_export]
macro_rules! choices {
    ($(#[$meta:meta])* $vis:vis enum $name:ident {
        $($(#[$vmeta:meta])* $variant:ident = $word:literal $(| $also:literal)*),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $name { $($(#[$vmeta])* $variant),* }

        impl $name {
            /// The word that stands for it.
            #[allow(dead_code)]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl $crate::value::FromValue for $name {
            const KIND: $crate::value::ArgKind = $crate::value::ArgKind::Str;
            const CHOICES: &'static [&'static str] = &[$($word),*];
            fn from_value(value: &$crate::value::Value) -> Result<Self, $crate::value::TypeProblem> {
                let text = match value {
                    // a bare yes or no is a boolean in YAML; where the words are yes and no, it is meant
                    $crate::value::Value::Bool(true) if Self::CHOICES.contains(&"yes") => "yes".to_owned(),
                    $crate::value::Value::Bool(false) if Self::CHOICES.contains(&"no") => "no".to_owned(),
                    $crate::value::Value::Bool(true) if Self::CHOICES.contains(&"on") => "on".to_owned(),
                    $crate::value::Value::Bool(false) if Self::CHOICES.contains(&"off") => "off".to_owned(),
                    $crate::value::Value::Bool(b) if Self::CHOICES.contains(&"true") => b.to_string(),
                    other => $crate::value::str_of(other),
                };
                match text.as_str() {
                    $($word $(| $also)* => Ok(Self::$variant),)*
                    other => Err($crate::value::TypeProblem(format!(
                        "`{other}` is not one of: {}{}",
                        Self::CHOICES.join(", "),
                        $crate::diag::did_you_mean(other, Self::CHOICES.iter().copied())
                            .map(|hint| format!(" ({hint})"))
                            .unwrap_or_default(),
                    ))),
                }
            }
        }
    };
}

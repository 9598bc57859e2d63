//! What `parted --machine` prints.
//!
//! Source: parted's documentation: lines that end in a semicolon; first the unit, then the disk, then its partitions.

use crate::value::{Map, Value};

/// A place or a length on a disk.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Size {
    /// A number and its unit, which may be missing.
    Plain(f64, String),
    /// Cylinder, head, sector.
    Chs([i64; 3]),
}

/// Units that parted takes.
const UNITS: &[&str] = &[
    "", "s", "B", "kB", "KB", "kiB", "KiB", "MB", "MiB", "GB", "GiB", "TB", "TiB", "%", "cyl",
    "chs", "compact",
];

impl Size {
    /// # Errors
    /// When it is none.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("Error interpreting parted size output: '{text}'");
        let parts: Vec<_> = text.split(',').map(str::parse::<i64>).collect();
        if let [Ok(cylinder), Ok(head), Ok(sector)] = parts.as_slice() {
            return Ok(Self::Chs([*cylinder, *head, *sector]));
        }
        let end = text
            .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'))
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let unit = unit.trim_start();
        if !UNITS.contains(&unit) {
            return Err(wrong());
        }
        let number = number.parse().map_err(|_| wrong())?;
        Ok(Self::Plain(number, unit.to_owned()))
    }

    fn value(&self) -> Value {
        match self {
            Self::Plain(number, _) => Value::from(*number),
            Self::Chs([cylinder, head, sector]) => Value::map(
                Map::new()
                    .with("cylinder", *cylinder)
                    .with("head", *head)
                    .with("sector", *sector),
            ),
        }
    }

    /// In bytes, if its unit says how many.
    fn bytes(&self, unit: &str) -> Option<f64> {
        let Self::Plain(number, own) = self else {
            return None;
        };
        let unit = if own.is_empty() { unit } else { own };
        let factor = match unit {
            "B" => 1.0,
            "kB" | "KB" => 1e3,
            "MB" => 1e6,
            "GB" => 1e9,
            "TB" => 1e12,
            "kiB" | "KiB" => 1024.0,
            "MiB" => 1024.0 * 1024.0,
            "GiB" => 1024.0 * 1024.0 * 1024.0,
            "TiB" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
            _ => return None,
        };
        Some(number * factor)
    }
}

/// A partition.
#[derive(Clone, Debug)]
pub(super) struct Part {
    number: i64,
    begin: Size,
    end: Size,
    size: Option<Size>,
    file_system: String,
    pub name: String,
    pub flags: Vec<String>,
}

/// A disk.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    device: String,
    size: Size,
    unit: String,
    pub table: String,
    model: String,
    blocks: [i64; 2],
    cylinders: Option<Map>,
    parts: Vec<Part>,
}

/// Reads it.
///
/// # Errors
/// When it is something else.
pub(super) fn parse(text: &str, unit: &str) -> Result<Disk, String> {
    let wrong = || "parted printed something that cannot be read".to_owned();
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| line.trim_end_matches(';').split(':').collect::<Vec<_>>());
    lines.next().ok_or_else(wrong)?;
    let disk = lines.next().ok_or_else(wrong)?;
    let [device, size, _, logical, physical, table, model, ..] = disk.as_slice() else {
        return Err(wrong());
    };
    let size = Size::parse(size)?;
    let unit = match &size {
        Size::Plain(_, own) if own.is_empty() => unit,
        Size::Plain(_, own) => own,
        Size::Chs(_) => "chs",
    }
    .to_owned();
    let whole = |text: &str| text.parse::<i64>().unwrap_or(0);
    let mut found = Disk {
        device: (*device).to_owned(),
        size,
        unit,
        table: (*table).to_owned(),
        model: (*model).to_owned(),
        blocks: [whole(logical), whole(physical)],
        cylinders: None,
        parts: Vec::new(),
    };
    if matches!(found.unit.as_str(), "cyl" | "chs") {
        let line = lines.next().ok_or_else(wrong)?;
        let [cylinders, heads, sectors, size, ..] = line.as_slice() else {
            return Err(wrong());
        };
        let size = Size::parse(size)?;
        let unit = match &size {
            Size::Plain(_, unit) => unit.to_lowercase(),
            Size::Chs(_) => "chs".into(),
        };
        let facts = Map::new()
            .with("cylinders", whole(cylinders))
            .with("heads", whole(heads))
            .with("sectors", whole(sectors))
            .with("cyl_size", size.value())
            .with("cyl_size_unit", Value::data(unit));
        found.cylinders = Some(facts);
    }
    for line in lines {
        // places as cylinder, head and sector come without a length
        let (head, rest) = line.split_at_checked(3).ok_or_else(wrong)?;
        let (size, rest) = if found.unit == "chs" {
            (None, rest)
        } else {
            let (size, rest) = rest.split_first().ok_or_else(wrong)?;
            (Some(Size::parse(size)?), rest)
        };
        let ([number, begin, end], [file_system, name, flags, ..]) = (head, rest) else {
            return Err(wrong());
        };
        found.parts.push(Part {
            number: whole(number),
            begin: Size::parse(begin)?,
            end: Size::parse(end)?,
            size,
            file_system: (*file_system).to_owned(),
            name: (*name).to_owned(),
            flags: flags
                .split(", ")
                .map(str::trim)
                .filter(|flag| !flag.is_empty())
                .map(str::to_owned)
                .collect(),
        });
    }
    Ok(found)
}

impl Disk {
    /// The partition of that number.
    pub(super) fn part(&self, number: i64) -> Option<&Part> {
        self.parts.iter().find(|part| part.number == number)
    }

    /// Whether a partition ends there, as exactly as parted tells it.
    pub(super) fn ends_at(&self, part: &Part, end: &Size, unit: &str) -> bool {
        let wanted = match (end, self.size.bytes(&self.unit)) {
            (Size::Plain(percent, unit), Some(all)) if unit == "%" => Some(all * percent / 100.0),
            (end, _) => end.bytes(unit),
        };
        let (Some(wanted), Some(now)) = (wanted, part.end.bytes(&self.unit)) else {
            return *end == part.end;
        };
        // parted ends a partition a sector before, and may round what it tells
        (wanted - now).abs() < 1024.0 * 1024.0
    }

    /// The disk as results have it.
    pub(super) fn facts(&self) -> Value {
        let mut facts = Map::new()
            .with("dev", Value::data(self.device.as_str()))
            .with("size", self.size.value())
            .with("unit", Value::data(self.unit.to_lowercase()))
            .with("table", Value::data(self.table.as_str()))
            .with("model", Value::data(self.model.as_str()))
            .with("logical_block", self.blocks[0])
            .with("physical_block", self.blocks[1]);
        if let Some(cylinders) = &self.cylinders {
            facts.set("chs_info", Value::map(cylinders.clone()));
        }
        Value::map(facts)
    }

    /// Its partitions as results have them.
    pub(super) fn part_facts(&self) -> Value {
        let unit = self.unit.to_lowercase();
        let facts = self.parts.iter().map(|part| {
            let flags = part
                .flags
                .iter()
                .map(|flag| Value::data(flag.as_str()))
                .collect();
            let size = part
                .size
                .as_ref()
                .map_or_else(|| Value::data(""), Size::value);
            Value::map(
                Map::new()
                    .with("num", part.number)
                    .with("begin", part.begin.value())
                    .with("end", part.end.value())
                    .with("size", size)
                    .with("fstype", Value::data(part.file_system.as_str()))
                    .with("name", Value::data(part.name.as_str()))
                    .with("flags", Value::list(flags))
                    .with("unit", Value::data(unit.as_str())),
            )
        });
        Value::list(facts.collect())
    }

    /// As the lines of a diff.
    pub(super) fn lines(&self) -> String {
        let parts = self.parts.iter().map(|part| {
            format!(
                "{}: {} to {} {} {}\n",
                part.number,
                part.begin.value(),
                part.end.value(),
                part.name,
                part.flags.join(", ")
            )
        });
        format!("{}\n{}", self.table, parts.collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::{Size, parse};

    #[test]
    fn sizes() {
        assert_eq!(Size::parse("-1.5GiB"), Ok(Size::Plain(-1.5, "GiB".into())));
        assert_eq!(Size::parse("10 MB"), Ok(Size::Plain(10.0, "MB".into())));
        assert_eq!(Size::parse("1,2,3"), Ok(Size::Chs([1, 2, 3])));
        assert!(Size::parse("10gib").is_err() && Size::parse("x").is_err());
    }

    #[test]
    fn a_disk_in_cylinders() {
        let text = "CHS;\n/dev/sda:130,138,8:scsi:512:512:msdos:ATA X:;\n130:255:63:8225kB;\n1:0,32,33:12,10,1:ext4::boot;\n";
        let disk = parse(text, "chs").unwrap();
        assert_eq!(disk.part(1).unwrap().flags, ["boot"]);
        assert!(disk.ends_at(disk.part(1).unwrap(), &Size::Chs([12, 10, 1]), "chs"));
    }
}

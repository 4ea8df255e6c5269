//! The files of `h1mock serve FILE...`: they stay in the folder of the user, which is only read.
//!
//! The provision directory is then a private folder before that folder: a file of the private one hides the user's file of the
//! same name.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::error::Cause;
use super::name::Name;
use super::{DirectoryError, Entry, Look, ProvisionDir, opened};
use crate::system::io_error::describe_io;

/// Files of one folder, which serve together as one provision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Served {
    folder: PathBuf,
    /// At least one. The first one gives the provision its name.
    names: Vec<Name>,
    /// The files before they were loaded.
    looks: HashMap<String, Option<Look>>,
}

impl Served {
    /// Checks the files of a command line; there must be one. A file that is named twice counts once.
    ///
    /// # Errors
    /// A path is no file, its name is not that of a provision, or the files are in several folders.
    pub(crate) fn new(paths: &[PathBuf]) -> Result<Served, String> {
        let mut served: Option<(&Path, Served)> = None;
        for path in paths {
            let failed = |cause: String| format!("failed to serve `{}`: {cause}", path.display());
            let (folder, name) = place(path).map_err(&failed)?;
            match &mut served {
                None => {
                    let names = vec![name];
                    served = Some((path, Served { folder, names, looks: HashMap::new() }));
                }
                Some((first, served)) if served.folder != folder => {
                    return Err(failed(format!("it is not in the folder of `{}`", first.display())));
                }
                Some((_, served)) if served.names.contains(&name) => {}
                Some((_, served)) => served.names.push(name),
            }
        }
        let (_, mut served) = served.ok_or("failed to serve: no file is given")?;
        let look = |name: &Name| (name.as_str().to_owned(), Look::new(&served.folder, name));
        served.looks = served.names.iter().map(look).collect();
        Ok(served)
    }

    /// Whether `folder` is the folder of the files.
    pub(crate) fn is_in(&self, folder: &Path) -> bool {
        folder.canonicalize().is_ok_and(|folder| folder == self.folder)
    }

    /// Returns the name of the provision: that of its first file.
    pub(crate) fn name(&self) -> &Name {
        &self.names[0]
    }

    pub(crate) fn looks(&self) -> &HashMap<String, Option<Look>> {
        &self.looks
    }

    /// Returns the names of all files.
    pub(crate) fn names(&self) -> &[Name] {
        &self.names
    }
}

/// Returns the folder and the name of the provision at `path`.
fn place(path: &Path) -> Result<(PathBuf, Name), String> {
    let metadata = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => describe_io(&error),
    })?;
    if metadata.is_dir() {
        let folder = path.display();
        return Err(format!("it is a folder: name its files, such as `h1mock {folder}/*.rhai`"));
    }
    if !metadata.is_file() {
        return Err("it is a pipe or a device; name a file".to_owned());
    }
    let name = path.file_name().and_then(|name| name.to_str()).ok_or("its name is not UTF-8")?;
    let name = Name::parse(name).map_err(|error| error.to_string())?;
    match Name::ignored(name.file_name()) {
        Some(reason) => return Err(format!("{reason}, which is left alone")),
        None if !name.is_provision() => {
            return Err("the name of a provision has no extension, or ends in `.rhai`".to_owned());
        }
        None => {}
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok((folder.canonicalize().map_err(|error| describe_io(&error))?, name))
}

impl ProvisionDir {
    /// Opens the private folder `root` before the folder of `served`. `root` may be missing: then nothing can be stored.
    ///
    /// # Errors
    /// The system can't tell the folder of the process.
    pub(crate) fn over(
        served: Served,
        root: &Path,
        config_dir: Option<&Path>,
    ) -> Result<ProvisionDir, DirectoryError> {
        let failed = |error: io::Error| DirectoryError::new("open", root.to_string_lossy(), error);
        let root = std::path::absolute(root).map_err(failed)?;
        let looks = Look::all(&root).unwrap_or_default();
        Ok(ProvisionDir {
            config_dir: config_dir.map(std::path::absolute).transpose().map_err(failed)?,
            root,
            served: Some(served),
            was_empty: looks.is_empty(),
            copies: Mutex::default(),
            own: Mutex::default(),
            sent: opened::Sent::default(),
            opened: Mutex::new(Some(looks)),
        })
    }

    /// Returns the files of `h1mock serve FILE...`.
    pub(crate) fn served(&self) -> Option<&Served> {
        self.served.as_ref()
    }

    /// Returns the folder of the user from which files are served.
    pub(super) fn served_folder(&self) -> Option<&Path> {
        self.served.as_ref().map(|served| served.folder.as_path())
    }

    /// Returns the other files of the provision `name`.
    pub(crate) fn beside(&self, name: &str) -> Vec<String> {
        let served = self.served.as_ref().filter(|served| served.name().as_str() == name);
        let others = served.into_iter().flat_map(|served| &served.names[1..]);
        others.map(|name| name.as_str().to_owned()).collect()
    }

    /// Returns the path of `name`: in the directory itself, unless only the folder of the user has it.
    pub(super) fn place(&self, name: &Name) -> PathBuf {
        let own = self.root.join(name.as_str());
        let theirs = self.served_folder().map(|folder| folder.join(name.as_str()));
        theirs.filter(|theirs| own.symlink_metadata().is_err() && theirs.exists()).unwrap_or(own)
    }

    /// Fails for a file that is only in the folder of the user.
    pub(super) fn is_own(&self, name: &Name) -> Result<(), Cause> {
        match self.served_folder() {
            Some(folder) if self.place(name) == folder.join(name.as_str()) => {
                Err(Cause::NotOwn(folder.to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Whether the directory itself has the file `name`.
    pub(crate) fn holds(&self, name: &Name) -> bool {
        self.exists(name) && self.is_own(name).is_ok()
    }

    /// Looks at `name` in the folder of the user. `None` if it has no such file.
    pub(crate) fn look_at_saved(&self, name: &Name) -> Option<Look> {
        Look::new(self.served_folder()?, name)
    }

    /// Makes the user's file `name` the one that is read, after the user has saved it.
    pub(crate) fn uncover(&self, name: &Name) {
        if self.holds(name)
            && let Err(error) = self.remove(name)
        {
            log::warn!("{error}");
        }
    }

    /// Returns the entries of those `names` that only the folder of the user has.
    pub(crate) fn saved_entries(&self, names: &BTreeSet<String>) -> Vec<Entry> {
        let names = names.iter().filter_map(|name| Name::parse(name).ok());
        let theirs = names.filter(|name| self.exists(name) && self.is_own(name).is_err());
        theirs.map(|name| self.entry(name, None)).collect()
    }

    /// Adds the names in folder `under` of the user's folder (`""`: the folder itself) to `names`.
    pub(crate) fn add_saved_names(&self, under: &str, names: &mut BTreeSet<String>) {
        let Some(folder) = self.served_folder().filter(|_| under.is_empty() || Name::parse(under).is_ok())
        else {
            return;
        };
        let inside = folder.join(under).canonicalize().ok().filter(|inside| inside.starts_with(folder));
        let entries = inside.and_then(|inside| fs::read_dir(inside).ok()).into_iter().flatten().flatten();
        let listed = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.extend(listed.filter(|name| !Name::is_ignored(name) && Name::parse(name).is_ok()));
    }
}

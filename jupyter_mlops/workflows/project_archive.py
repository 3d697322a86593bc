"""A generated project as one file that is the same for the same project, and back."""

from __future__ import annotations

import shutil
import stat
import zipfile
from importlib.resources import files
from pathlib import Path

from jupyter_mlops.checksums import NAME, file_digest
from jupyter_mlops.errors import ConversionError
from jupyter_mlops.workflows.output import project_files

__all__ = ["pack_project", "unpack_project"]

# Of whoever works on the project, beside what `project_files` leaves out: outputs of its stages, and DVC's own.
_LEFT_OUT = ("stages", ".dvc")
# The bundle page's runtime: 14 MB that come with every installation of this package, and that no test reads.
_VENDOR = "edge/vendor/"
_SUMS = f"edge/{NAME}"
_TIME = (1980, 1, 1, 0, 0, 0)
_LIMIT = 4 * 2**30  # bytes of an unpacked project


def pack_project(project: Path, target: Path) -> str:
    """Write a project into a ZIP file and return that file's SHA-256.

    Left out are caches, and the runtime of the bundle's page, which `unpack_project` puts back.
    """
    names = [path.relative_to(project).as_posix() for path in project_files(project, _LEFT_OUT)]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(names):
            if name.startswith(_VENDOR) or not (project / name).is_file():
                continue
            about = zipfile.ZipInfo(name, _TIME)
            about.external_attr = (stat.S_IFREG | 0o644) << 16
            about.compress_type = zipfile.ZIP_DEFLATED
            with (project / name).open("rb") as source, archive.open(about, "w", force_zip64=True) as packed:
                shutil.copyfileobj(source, packed, 2**20)
    return file_digest(target)


def unpack_project(archive: Path, folder: Path) -> Path:
    """Unpack an archive into an empty folder, which is returned.

    Raises
    ------
    ConversionError
        The file is no archive of a project.
    """
    folder.mkdir(parents=True, exist_ok=True)
    home = folder.resolve()
    try:
        with zipfile.ZipFile(archive) as packed:
            members = [one for one in packed.infolist() if not one.is_dir()]
            if sum(one.file_size for one in members) > _LIMIT:
                raise ConversionError(f"The archive {archive.name} unpacks to more than {_LIMIT >> 30} GB and is left alone.")
            for one in members:
                place = (home / one.filename).resolve()
                if not place.is_relative_to(home) or stat.S_ISLNK(one.external_attr >> 16):
                    raise ConversionError(f"The archive {archive.name} holds {one.filename!r}, which leads out of it.")
                place.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(one) as source, place.open("wb") as target:
                    shutil.copyfileobj(source, target, 2**20)
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise ConversionError(f"The archive of the project cannot be unpacked: {error}. Convert the notebook again.") from error
    _restore_vendor(folder)
    return folder


def _restore_vendor(folder: Path) -> None:
    """Put the page's runtime back where this installation has the same; the bundle's checksums else do without it."""
    sums = folder / _SUMS
    if not sums.is_file():
        return
    runtime = Path(str(files("jupyter_mlops.export") / "web"))
    kept = []
    for line in sums.read_text(encoding="utf-8").splitlines(keepends=True):
        digest, _, name = line.rstrip("\n").partition("  ")
        target = folder / "edge" / name
        if f"edge/{name}".startswith(_VENDOR) and not target.exists():
            asset = runtime / Path(name).name
            if not asset.is_file() or file_digest(asset) != digest:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(asset, target)
        kept.append(line)
    sums.write_text("".join(kept), encoding="utf-8")

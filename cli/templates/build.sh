set -e

say() { printf '%s\n' "-----> $*"; }

# The build's own files, gone at its end. Package managers keep their caches in HOME.
export HOME="$PWD/__build__/home"
mkdir -p "$HOME"

# deb NAME: fetches a Debian package, which takes no root, and unpacks it.
deb() (
    mkdir -p __debs__ __build__/apt/lists/partial __build__/apt/archives/partial
    cd __build__/apt
    fetch() {
        apt-get -q -o Dir::State::Lists="$PWD/lists" -o Dir::Cache="$PWD" \
            -o Debug::NoLocking=true -o APT::Sandbox::User=root "$@"
    }
    [ -e updated ] || fetch update
    touch updated
    fetch download "$1"
    dpkg -x ./*.deb ../../__debs__
    rm ./*.deb
)

# gemfile FILE GROUP...: installs the gems of these groups alone.
gemfile() (
    export BUNDLE_GEMFILE="$PWD/$1" BUNDLE_PATH__SYSTEM=true
    shift
    BUNDLE_WITHOUT=$(ruby -rbundler -e \
        'puts((Bundler.definition.groups.map(&:to_s) - ARGV).join(":"))' -- "$@")
    export BUNDLE_WITHOUT
    bundle install
)

pip_install() {
    python=python
    command -v python >/dev/null || python=python3
    $python -m pip install --disable-pip-version-check --no-cache-dir --target __pips__ "$@"
}

export GEM_HOME="$PWD/__gems__"
export PYTHONPATH="$PWD/__pips__${PYTHONPATH:+:$PYTHONPATH}"
@STEPS@

if [ -d __pips__/bin ]; then
    mkdir -p __pips__/__bin__
    mv __pips__/bin/* __pips__/__bin__
    rmdir __pips__/bin
fi
rm -rf __gems__/cache __gems__/doc __build__ __build__.sh
say "Built"

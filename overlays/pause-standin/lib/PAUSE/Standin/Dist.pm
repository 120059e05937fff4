# SPDX-License-Identifier: MIT
package PAUSE::Standin::Dist;

# A distribution among an author's files: what its name says, what is in it.
use v5.36;

use CPAN::DistnameInfo ();
use CPAN::Meta ();
use File::Basename qw(basename);
use File::Find ();
use File::Temp ();
use List::Util qw(first);
use Module::Metadata ();
use PAUSE ();
use PAUSE::Standin::Files qw(slurp);

my $ARCHIVE = qr/\.(?:tar\.gz|tgz|tar\.bz2|tbz|zip)\z/;
my $UNINDEXED = qr{^(?:t|xt|inc|eg|examples|local|perl5)/};

sub is_archive ($path) { $path =~ $ARCHIVE }

# `id` is the path below authors/id.
sub new ($class, $id) {
    my $path = "$PAUSE::Config->{PUB}/authors/id/$id";
    my $info = CPAN::DistnameInfo->new("authors/id/$id");
    return bless {
        id => $id,
        path => $path,
        user => (split '/', $id)[2],
        name => $info->dist // '',
        is_developer_release => ($info->maturity // '') eq 'developer',
        mtime => (stat $path)[9],
    }, $class;
}

sub unpack_in ($self, $dir) {
    my @command = $self->{path} =~ /\.zip\z/
        ? ('unzip', '-q', $self->{path}, '-d', $dir)
        : ('tar', '--no-same-owner', '-xf', $self->{path}, '-C', $dir);
    system(@command) == 0 or die "$command[0] cannot unpack '$self->{id}'\n";
    my @inside = grep { -d } glob "$dir/*";
    return $self->{root} = @inside == 1 ? $inside[0] : $dir;
}

# Packages as a list of hashes: package, version, file.
sub packages ($self) {
    my $meta = $self->meta;
    my %provided = ($meta && $meta->provides // {})->%*;
    return map { { package => $_, $provided{$_}->%{qw(version file)} } } sort keys %provided if %provided;
    return map { packages_of($self->{root}, $_) } sort grep { !/$UNINDEXED/ } $self->module_files;
}

sub module_files ($self) {
    my @found;
    my $root = $self->{root};
    my $wanted = sub { push @found, substr $File::Find::name, length("$root/") if /\.pm\z/ && -f };
    File::Find::find({ wanted => $wanted, follow => 0 }, $root);
    return @found;
}

# Nothing of the distribution is run: the version is read, not evaluated by its own code.
sub packages_of ($root, $file) {
    my $metadata = eval { Module::Metadata->new_from_file("$root/$file") } or return;
    my $base = basename($file, '.pm');
    my @fit = grep { /(?:^|::)\Q$base\E\z/ } grep { $_ ne 'main' } $metadata->packages_inside;
    return map { { package => $_, version => $metadata->version($_), file => $file } } @fit;
}

sub meta ($self) {
    my $file = $self->meta_file or return;
    return eval { CPAN::Meta->load_file($file, { lazy_validation => 1 }) };
}

# Undefined when there is none.
sub meta_file ($self) { first { -f } map { "$self->{root}/META.$_" } qw(json yml) }

sub readme_file ($self) { first { -f } map { "$self->{root}/README$_" } '', qw(.md .txt .pod) }

# What is laid beside the archive: (suffix, content) pairs.
sub companions ($self) {
    my %file = (meta => $self->meta_file, readme => $self->readme_file);
    return map { $_ => slurp($file{$_}) } grep { $file{$_} } sort keys %file;
}

sub companion_path ($self, $suffix) { $self->{path} =~ s/$ARCHIVE//r . ".$suffix" }

1;

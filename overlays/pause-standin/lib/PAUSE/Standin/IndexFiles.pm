# SPDX-License-Identifier: MIT
package PAUSE::Standin::IndexFiles;

# The index files that clients read, made from the tables and written when they change.
use v5.36;

use HTTP::Date qw(time2str);
use PAUSE ();
use PAUSE::Standin::DB qw(mod_db);
use PAUSE::Standin::Files qw(write_changed write_with_gzip);
use PAUSE::Standin::Git ();
use Plack::Util ();

my $DATE_LINE = qr/^(?:Last-Updated|Date):.*\n/m;
my $DATE_ELEMENT = qr{<lastBuildDate>.*?</lastBuildDate>};

sub new ($class, $log) { bless { dir => "$PAUSE::Config->{PUB}/modules", log => $log }, $class }

sub rewrite ($self) {
    my @packages = indexed_packages();
    my @changed = (
        $self->write_packages(@packages),
        $self->write_perms,
        $self->write_modlist,
        $self->write_pages(@packages),
    );
    PAUSE::newfile_hook($_) for @changed;
    PAUSE::Standin::Git::commit($self->{log}, grep { /(?:02packages.details|06perms)\.txt\z/ } @changed);
}

sub indexed_packages () {
    my $query = q{SELECT package, version, dist, filemtime FROM packages WHERE status = 'index'}
        . ' ORDER BY lc_package, package';
    return mod_db()->selectall_arrayref($query, { Slice => {} })->@*;
}

sub header (%field) {
    my @order = grep { exists $field{$_} }
        qw(File URL Description Columns Intended-For Written-By Line-Count Last-Updated Date);
    return join '', (map { sprintf "%-14s%s\n", "$_:", $field{$_} } @order), "\n";
}

sub write_packages ($self, @packages) {
    my $least = $PAUSE::Config->{ML_MIN_INDEX_LINES};
    if (@packages < $least) {
        $self->{log}->error('02packages would have ' . @packages . " lines, at least $least are expected");
        return;
    }
    return unless @packages;
    my $header = header(
        File => '02packages.details.txt',
        URL => "https://$PAUSE::Config->{SERVER_NAME}/modules/02packages.details.txt",
        Description => 'Packages, their versions and the files that have them',
        Columns => 'package name, version, path',
        'Intended-For' => 'CPAN clients',
        'Written-By' => 'the stand-in of PAUSE',
        'Line-Count' => scalar @packages,
        'Last-Updated' => time2str(),
    );
    my @lines = map { sprintf "%-40s %10s  %s\n", $_->@{qw(package version dist)} } @packages;
    return write_with_gzip("$self->{dir}/02packages.details.txt", join('', $header, @lines), $DATE_LINE);
}

sub write_perms ($self) {
    my @rows = mod_db()->selectall_arrayref(
        q{SELECT package, userid, 'f' FROM primeur UNION SELECT package, userid, 'c' FROM perms}
            . q{ WHERE (package, userid) NOT IN (SELECT package, userid FROM primeur) ORDER BY 1, 2})->@*;
    return unless @rows;
    my $header = header(
        File => '06perms.txt',
        Description => 'Who may release what: f came first, c was let in',
        Columns => 'package, userid, kind',
        'Written-By' => 'the stand-in of PAUSE',
        'Line-Count' => scalar @rows,
        Date => time2str(),
    );
    my @lines = map { join(',', @$_) . "\n" } @rows;
    return write_with_gzip("$self->{dir}/06perms.txt", join('', $header, @lines), $DATE_LINE);
}

# Clients evaluate the part after the header. There is no list of registered modules any more.
sub write_modlist ($self) {
    my $header = header(
        File => '03modlist.data',
        Description => 'An empty list that old clients want to see',
        'Written-By' => 'the stand-in of PAUSE',
        Date => time2str(),
    );
    my $body = "package CPAN::Modulelist;\nsub data { return {} }\n1;\n";
    return write_with_gzip("$self->{dir}/03modlist.data", $header . $body, $DATE_LINE);
}

sub write_pages ($self, @packages) {
    my @by_name = distributions(@packages);
    my @by_time = sort { $b->{mtime} <=> $a->{mtime} || $a->{dist} cmp $b->{dist} } @by_name;
    my %content = (
        '01modules.index.html' => page('Distributions by name', @by_name),
        '01modules.mtime.html' => page('Distributions by time', @by_time),
        '01modules.mtime.rss' => feed(splice @by_time, 0, 150),
    );
    my @paths = map { ["$self->{dir}/$_", $content{$_}] } sort keys %content;
    return map { $_->[0] } grep { write_changed(@$_, $DATE_ELEMENT) } @paths;
}

sub distributions (@packages) {
    my %mtime = map { $_->{dist} => $_->{filemtime} } @packages;
    return map { { dist => $_, mtime => $mtime{$_} } } sort keys %mtime;
}

sub page ($title, @dists) {
    my @items = map { Plack::Util::encode_html($_->{dist}) } @dists;
    my $list = join '', map { qq{<li><a href="../authors/id/$_">$_</a>\n} } @items;
    return qq{<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<title>$title</title>\n}
        . "<h1>$title</h1>\n<ul>\n$list</ul>\n<p>Written by the stand-in of PAUSE.</p>\n</html>\n";
}

sub feed (@dists) {
    my $url = "https://$PAUSE::Config->{SERVER_NAME}";
    my @items = map {
        my $name = Plack::Util::encode_html($_->{dist});
        "<item><title>$name</title><link>$url/authors/id/$name</link></item>\n"
    } @dists;
    return qq{<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>\n}
        . "<title>The latest uploads</title><link>$url/</link>\n"
        . "<description>Written by the stand-in of PAUSE</description>\n"
        . '<lastBuildDate>' . time2str() . "</lastBuildDate>\n@items</channel></rss>\n";
}

1;

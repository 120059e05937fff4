# SPDX-License-Identifier: MIT
package PAUSE::Standin::Whois;

# The lists of authors below authors/. Each function returns what it did, a line each.
use v5.36;

use PAUSE ();
use PAUSE::Standin::DB qw(mod_db authen_db);
use PAUSE::Standin::Files qw(slurp write_changed write_file gzip_of);
use IO::Uncompress::Gunzip qw(gunzip);
use Plack::Util ();

sub write_all () {
    my $authors = mod_db()->selectall_arrayref(
        q{SELECT userid, fullname, email, cpan_mail_alias FROM users WHERE isa_list = ''}
            . ' ORDER BY userid', { Slice => {} });
    my %content = (
        '00whois.html' => html($authors),
        '00whois.xml' => xml($authors),
        '01mailrc.txt.gz' => join('', map { mailrc_line($_) } @$authors),
        '02authors.txt.gz' => join('', map { author_line($_) } @$authors),
        '08pumpkings.txt.gz' => join('', map { "$_\n" } pumpkings()),
    );
    my @changed = grep { write_one($_, $content{$_}) } sort keys %content;
    return map { "new $_" } @changed;
}

sub write_one ($name, $content) {
    my $path = "$PAUSE::Config->{PUB}/authors/$name";
    my $changed = $name =~ /\.gz\z/ ? write_gzip($path, $content) : write_changed($path, $content);
    PAUSE::newfile_hook($path) if $changed;
    return $changed;
}

sub write_gzip ($path, $content) {
    if (-s $path) {
        gunzip($path, \my $old);
        return 0 if defined $old && $old eq $content;
    }
    write_file($path, gzip_of($content));
    return 1;
}

sub name ($author) { $author->{fullname} || $author->{userid} }

# What the public may see of an address.
sub address ($author) {
    my $alias = $author->{cpan_mail_alias} // '';
    return 'CENSORED' if $alias ne 'publ';
    return $author->{email} // 'CENSORED';
}

sub mailrc_line ($author) {
    my $name = name($author) =~ tr/"/'/r;
    return sprintf qq{alias %-10s "%s <%s>"\n}, $author->{userid}, $name, address($author);
}

sub author_line ($author) { join("\t", $author->{userid}, address($author), name($author)) . "\n" }

sub pumpkings () {
    my $query = q{SELECT user FROM grouptable WHERE ugroup = 'pumpking' ORDER BY user};
    return authen_db()->selectcol_arrayref($query)->@*;
}

sub html ($authors) {
    my @rows = map {
        my ($id, $name) = map { Plack::Util::encode_html($_) } $_->{userid}, name($_);
        qq{<tr><td><a href="id/} . PAUSE::user_dir($id) . qq{/">$id</a><td>$name\n}
    } @$authors;
    return qq{<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Who is who</title>\n}
        . "<h1>Who is who</h1>\n<table>\n@rows</table>\n"
        . "<p>Written by the stand-in of PAUSE.</p>\n</html>\n";
}

sub xml ($authors) {
    my @items = map {
        my ($id, $name, $email) = map { Plack::Util::encode_html($_) } $_->{userid}, name($_), address($_);
        "<cpanid><id>$id</id><type>author</type><fullname>$name</fullname><email>$email</email></cpanid>\n"
    } @$authors;
    return qq{<?xml version="1.0" encoding="utf-8"?>\n<cpan-whois generator="stand-in of PAUSE">\n}
        . "@items</cpan-whois>\n";
}

1;

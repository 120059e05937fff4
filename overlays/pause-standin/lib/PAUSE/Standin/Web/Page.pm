# SPDX-License-Identifier: MIT
package PAUSE::Standin::Web::Page;

# HTML pages with the stand-in's frame, and the few other kinds of answers.
use v5.36;

use Exporter qw(import);
use PAUSE ();
use PAUSE::Standin::Files qw(slurp);
use Plack::Response ();
use Plack::Util ();

our @EXPORT_OK = qw(page redirect escape table form input error_page);

my $STYLE = slurp("$PAUSE::REPO/htdocs/pause/pause_2017.css");

sub escape ($text) { Plack::Util::encode_html($text // '') }

sub page ($status, $title, $body) {
    my $html = <<"HTML";
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>@{[escape($title)]}</title>
<style>
$STYLE</style>
</head>
<body>
<p class="standin">This is the stand-in of PAUSE, made to test an image. It is not the real PAUSE.</p>
<h1>@{[escape($title =~ s/^PAUSE: //r)]}</h1>
$body
<footer>Stand-in of PAUSE, version $PAUSE::VERSION, part of kiln</footer>
</body>
</html>
HTML
    return Plack::Response->new($status, ['Content-Type' => 'text/html; charset=utf-8'], $html);
}

sub error_page ($status, $text) {
    return page($status, 'PAUSE: error', '<p class="error">' . escape($text) . '</p>');
}

sub redirect ($to, $status = 301) { Plack::Response->new($status, [Location => $to]) }

sub table ($heads, @rows) {
    my $head = join '', map { '<th>' . escape($_) } @$heads;
    my @lines = map { '<tr>' . join('', map { '<td>' . escape($_) } @$_) . "\n" } @rows;
    return "<table>\n<tr>$head\n@lines</table>\n";
}

sub input ($label, $name, $type = 'text', $value = '') {
    my ($l, $n, $v) = map { escape($_) } $label, $name, $value;
    return qq{<p><label>$l <input type="$type" name="$n" value="$v"></label></p>\n};
}

# A form that comes back to its own action.
sub form ($call, $submit, @fields) {
    my ($name, $path) = map { escape($_) } $call->{name}, $call->{req}->path;
    my $token = $call->{csrf}->token;
    my ($button, $text) = map { escape($_) } @$submit;
    return <<"HTML";
<form method="post" action="$path?ACTION=$name" enctype="multipart/form-data">
<input type="hidden" name="csrf_token" value="$token">
@fields<p><button name="$button" value="1">$text</button></p>
</form>
HTML
}

1;

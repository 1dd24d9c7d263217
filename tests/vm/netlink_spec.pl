#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# usage: perl tests/vm/netlink_spec.pl SLUICE.YAML CONTROL.H [POLICY]
#
# The netlink family is written down three times: for programs (docs/sluice.yaml), for C (control.h)
# and in the kernel, which tells its policies (POLICY: the output of "netfuzz policy"). All must agree:
# numbers and names of commands, attributes, settings, events; types; which command takes what; ranges.
# Reads just the YAML that the spec is written in. Exit 1 and a line for each difference.
use strict;
use warnings;

my ($yaml_file, $header_file, $policy_file) = @ARGV;
die "usage: netlink_spec.pl SLUICE.YAML CONTROL.H [POLICY]\n" unless $header_file;
my $bad = 0;

sub differ { print "differ: @_\n"; $bad++; }

sub slurp { local (@ARGV, $/) = @_; my $s = <>; return $s; }

# --- the spec: sets{name} = [ [name, type, {max..}] ], ops = [ [name, {do => [..], ..}, flags] ]
my (%sets, @ops, %consts, %enums, $part, $set, $attr, $op, $kind, $def);
my %anchors;
my $text = slurp($yaml_file);
$text =~ s/\[([^\]]*)\]/my $l = $1; $l =~ s,\s+, ,g; "[$l]"/gse;    # a list is one line
$text =~ s/\n\s+(\[)/ $1/g;
for (split /\n/, $text) {
	next if /^\s*#/ || /^---/;
	$part = $1 if /^([a-z-]+):/;
	if ($part eq 'definitions') {
		$def = {} if /^  -/;
		$def->{$1} = $2 if /^    ([a-z-]+): (.*)/;
		$consts{ $def->{name} } = $def->{value} if $def && defined $def->{value};
		$enums{ $def->{name} } = [ split /, */, $1 ] if $def && /entries:\s*\[ ?(.*?) ?\]/;
	} elsif ($part eq 'attribute-sets') {
		if (/^    name: (\S+)/) { $set = $sets{$1} = []; }
		elsif (/^\s+- \{ name: ([a-z0-9-]+), type: ([a-z0-9]+)/) { push @$set, [ $1, $2, {} ]; }
		elsif (/^        name: (\S+)/) { push @$set, $attr = [ $1, '', {} ]; }
		elsif (/^        type: (\S+)/) { $attr->[1] = $1; }
		elsif (/^        checks: \{ (.*) \}/) {
			for (split /, /, $1) { my ($k, $v) = split /: /; $attr->[2]{$k} = $consts{$v} // $v; }
		} elsif (/^        enum: (\S+)/) { $attr->[2]{enum} = $1; }
	} elsif ($part eq 'operations') {
		if (/^      name: (\S+)/) { push @ops, $op = [ $1, {}, '' ]; }
		elsif (/^      flags: \[ ?(.*?) ?\]/) { $op->[2] = $1; }
		elsif (/^      (do|dump|event):/) { $kind = $1; $op->[1]{$kind} //= []; }
		elsif (/^        request: \{ attributes: \[ ?(.*?) ?\]/) { $op->[1]{$kind} = [ split /, */, $1 ]; }
	}
}

# --- the header: enums, in order, without _UNSPEC and the last
my $header = slurp($header_file);
$header =~ s{/\*.*?\*/}{}gs;

sub header_enum {
	my ($name, $prefix) = @_;
	$header =~ /enum $name \{(.*?)\}/s or die "no enum $name in $header_file\n";
	my ($n, @list) = (0);
	for (split /,/, $1) {
		next unless /(\w+)\s*(?:=\s*(\d+))?/;
		my ($word, $value) = ($1, $2);
		$n = $value if defined $value;
		push @list, [ $n, lc($word =~ s/^$prefix//r) =~ tr/_/-/r ] unless $word =~ /^__/ || $word =~ /_UNSPEC$/;
		$n++;
	}
	return @list;
}

# $1: what; $2: names of the spec in order from 1; the rest: [number, name] of the header
sub same_list {
	my ($what, $spec, @header) = @_;
	for my $i (0 .. ($#$spec > $#header ? $#$spec : $#header)) {
		my ($s, $h) = ($spec->[$i] // '(none)', $header[$i] // [ 0, '(none)' ]);
		differ("$what $i: the spec has $s, the header $h->[1] = $h->[0]") if $s ne $h->[1] || $h->[0] != $i + 1;
	}
}
same_list('attribute', [ map { $_->[0] } @{ $sets{camera} } ], header_enum('sluice_attr', 'SLUICE_ATTR_'));
same_list('setting', [ map { $_->[0] } @{ $sets{settings} } ], header_enum('sluice_setting', 'SLUICE_SETTING_'));
same_list('ledger', [ map { $_->[0] } @{ $sets{ledger} } ], header_enum('sluice_ledger_attr', 'SLUICE_LEDGER_'));
same_list('latency', [ map { $_->[0] } @{ $sets{latency} } ], header_enum('sluice_latency_attr', 'SLUICE_LATENCY_'));
same_list('command', [ map { $_->[0] } @ops ], header_enum('sluice_cmd', 'SLUICE_CMD_'));
same_list('event', $enums{event}, header_enum('sluice_event', 'SLUICE_EVENT_'));
same_list('mode', $enums{mode}, header_enum('sluice_mode', 'SLUICE_MODE_'));

# --- the kernel
if ($policy_file) {
	my (%takes, %in, $lines);
	for (split /\n/, slurp($policy_file)) {
		my ($what, $owner, $n, $type, @more) = split / /;
		my %r = map { split /=/ } @more;
		$lines++;
		if ($what eq 'in') { $in{$owner}{$n} = $type; }
		else { $takes{$what}{$owner}{$n} = [ $type, \%r ]; }
	}
	die "$policy_file has no policy\n" unless $lines && $takes{do};
	my %number = map { $sets{camera}[$_][0] => $_ + 1 } 0 .. $#{ $sets{camera} };
	for my $i (0 .. $#ops) {
		my ($name, $way) = @{ $ops[$i] };
		my $cmd = $i + 1;
		if (!$way->{do}) {
			differ("command $name is none in the spec, and the kernel takes it") if $takes{do}{$cmd};
			next;
		}
		my %want = map { $number{$_} // die("no attribute $_\n") => $_ } @{ $way->{do} };
		for my $n (sort { $a <=> $b } keys %{ { %want, %{ $takes{do}{$cmd} // {} } } }) {
			my $k = $takes{do}{$cmd}{$n};
			if (!$k) { differ("$name: the kernel refuses $want{$n}"); next; }
			if (!$want{$n}) { differ("$name: the kernel takes attribute $n, the spec does not name it"); next; }
			my $spec = $sets{camera}[ $n - 1 ];
			differ("$name, $want{$n}: $spec->[1] in the spec, $k->[0] in the kernel") if $spec->[1] ne $k->[0];
			my %check = %{ $spec->[2] };
			@check{qw(min max)} = (1, scalar @{ $enums{ $check{enum} } }) if $check{enum};
			for (qw(min max max-len)) {
				next if !defined $check{$_};
				differ("$name, $want{$n}: $_ is $check{$_} in the spec, " . ($k->[1]{$_} // 'none') . " in the kernel")
					if $check{$_} ne ($k->[1]{$_} // '');
			}
		}
	}
	my @settings = @{ $sets{settings} };
	for my $i (1 .. $#settings) {    # version is in answers only
		my $k = delete $in{ $number{settings} }{ $i + 1 } // '(none)';
		differ("setting $settings[$i][0]: $settings[$i][1] in the spec, $k in the kernel") if $settings[$i][1] ne $k;
	}
	differ("setting $_: the kernel takes it, the spec does not") for keys %{ $in{ $number{settings} } };
	print "$lines lines of policy, ";
}
print scalar(@ops), " commands, ", scalar(@{ $sets{camera} }), " attributes, ", scalar(@{ $sets{settings} }), " settings: ",
	$bad ? "$bad differences\n" : "all agree\n";
exit($bad ? 1 : 0);

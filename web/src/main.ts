// Which page the address names. Each is loaded only when it is asked for.

if (location.pathname === '/fleet') void import('./fleet_page').then((page) => page.open());
else if (location.pathname === '/plan') void import('./plan_page').then((page) => page.open());
else void import('./map_page').then((page) => page.open());
